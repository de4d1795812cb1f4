"""Devices and sensors at an MQTT broker: commands and results are JSON documents that bear the run's key.

::

    [[runners]]
    use = "mqtt"
    with.host = "broker.lab"
    with.command = { topic = "reactor/command", json = { id = "{key}", temperature = "{temperature}" } }
    with.settings.temperature = { to = "temperature", unit = "degC" }
    with.result = "reactor/data"
    with.measure.yield = "/yield"
    with.presence = "reactor/status"

    [[metrics]]
    name = "humidity"
    use = "mqtt"
    with = { host = "broker.lab", topic = "room/7/humidity" }

A broker may bring a command twice, and a device should know its key again.  What became of a run after a restart can
only be asked where the device answers a question for a key (``status``); elsewhere a person is asked.
"""

from titrant_adapters.mqtt.config import MqttConfig
from titrant_adapters.mqtt.messages import SensorConfig
from titrant_adapters.mqtt.metric import MqttMetric
from titrant_adapters.mqtt.runner import MqttRunner

__all__ = ["MqttConfig", "MqttMetric", "MqttRunner", "SensorConfig"]
