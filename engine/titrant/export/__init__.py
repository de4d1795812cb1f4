"""A log in other forms: with everything needed to check it without titrant, and for other programs."""

from titrant.export.forms import to_csv, to_html, to_jsonl, to_parquet
from titrant.export.importing import import_export
from titrant.export.manifest import Manifest
from titrant.export.prov import to_prov
from titrant.export.ro_crate import to_ro_crate
from titrant.export.whole import export
from titrant.log.backup import backup

__all__ = [
    "Manifest",
    "backup",
    "export",
    "import_export",
    "to_csv",
    "to_html",
    "to_jsonl",
    "to_parquet",
    "to_prov",
    "to_ro_crate",
]
