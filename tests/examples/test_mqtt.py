"""The page on MQTT is run as a reader runs it, with Debian's broker."""

from tests.adapters.servers.mqtt import mosquitto
from tests.adapters.servers.process import Server


def test_a_loop_over_mqtt_needs_no_hardware(run_example, tmp_path):
    with Server("mosquitto", mosquitto(tmp_path), tmp_path) as broker:
        assert "best of 5 runs" in run_example("adapters/mqtt_device", "--trials", 5, "--port", broker.port)
