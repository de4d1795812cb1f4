"""MQTT brokers' settings, and the device behind them: ``python -m tests.adapters.servers.mqtt PORT``.

The device takes ``{"id": ..., "temperature": ...}`` from reactor/command and tells ``{"id": ..., "yield": ...}`` or
``{"id": ..., "error": ...}`` on reactor/data.  Its status is retained; its last will says that it is offline.
"""

import asyncio
import json
import sys
from pathlib import Path

import aiomqtt
from tests.adapters.servers.process import LOOPBACK, program
from tests.adapters.servers.reactor import LIMIT, begin, hangs, yield_at

COMMAND, DATA, STATUS = "reactor/command", "reactor/data", "reactor/status"
QOS = 1


def mosquitto(folder):
    """The command of Debian's broker."""

    def command(port):
        settings = Path(folder) / "mosquitto.conf"
        # Without the last line a reply waits 40 ms for Nagle's algorithm.
        settings.write_text(
            f"listener {port} {LOOPBACK}\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"
        )
        return [program("mosquitto", "mosquitto"), "-v", "-c", settings]

    return command


def amqtt(folder):
    """The command of the broker written in Python."""

    def command(port):
        settings = Path(folder) / "amqtt.yaml"
        bind = {"type": "tcp", "bind": f"{LOOPBACK}:{port}"}
        plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
        settings.write_text(json.dumps({"listeners": {"default": bind}, "plugins": plugins}))
        return [Path(sys.executable).with_name("amqtt"), "-c", settings]

    return command


def answer(request):
    """What the reactor tells; None where it never does."""
    temperature = request["temperature"]
    begin(temperature)
    if hangs(temperature):
        return None
    if temperature > LIMIT:
        return {"id": request["id"], "error": f"{temperature} degrees are too hot"}
    return {"id": request["id"], "yield": yield_at(temperature)}


async def main(port):
    will = aiomqtt.Will(STATUS, "offline", qos=QOS, retain=True)
    async with aiomqtt.Client(LOOPBACK, port, identifier="reactor", will=will, keepalive=2) as client:
        await client.subscribe(COMMAND, qos=QOS)
        await client.publish(STATUS, "online", qos=QOS, retain=True)
        print("online", flush=True)
        async for message in client.messages:
            told = answer(json.loads(message.payload))
            if told is not None:
                await client.publish(DATA, json.dumps(told), qos=QOS)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
