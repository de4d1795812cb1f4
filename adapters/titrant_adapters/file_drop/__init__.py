"""Instruments that take orders and give results as files: HPLC, plate readers, Chemspeed, whatever watches a folder.

::

    [[runners]]
    use = "file_drop"
    with.orders = "//hplc/in"
    with.results = "//hplc/out"
    with.order = "{key}.csv"
    with.result = "*{key}*.csv"
    with.end = "#END"
    with.settings.temperature = { to = "T_C", read_back = "T_actual", tolerance = 0.5 }
    with.measure.purity = "area_percent"

Folders are listed and files read anew each time, since a network share tells nobody of what others write there.  A file
does not say whether it was seen: an order nobody answers is UNKNOWN.
"""

from titrant_adapters.file_drop.config import FileDropConfig
from titrant_adapters.file_drop.runner import FileDropRunner

__all__ = ["FileDropConfig", "FileDropRunner"]
