"""A closed loop over MQTT: commands and results are JSON documents that bear the run's key, here of the lab twin.

mosquitto -p 1883 &   # or any other broker
python examples/adapters/mqtt_device.py --trials 12

For a real device put its topics and the names in its documents in the place of these; where it cannot be asked what
became of a key, leave `status` out: a person is asked then, if the engine was killed in the middle of a run.
"""

from __future__ import annotations

import argparse

import anyio

from titrant import AsyncClient, RangeParameterConfig
from titrant_adapters.mqtt import MqttRunner
from titrant_adapters.twin import Behaviour, LabTwin, Pace
from titrant_adapters.twin.doors import door_named, open_door
from titrant_adapters.twin.physics.kinetics import Kinetics

CONDITIONS = {"temperature": "{temperature_k}", "residence_time": "{minutes}"}
COMMAND = {"id": "{key}", "do": "start", "key": "{key}", "parameters": CONDITIONS}
DEVICE = {
    "command": {"topic": "titrant/twin/cmd", "json": COMMAND},
    "settings": {
        "temperature_k": {"to": "temperature", "unit": "K", "sent_in": "degC", "read_back": "/conditions/temperature"},
        "minutes": {"to": "residence_time", "unit": "min", "read_back": "/conditions/residence_time"},
    },
    "result": "titrant/twin/result",
    "key": "/key",
    "measure": {"yield": "/values/yield"},
    "reason": "/reason",
    "reply": "titrant/twin/data",
    "status": {"topic": "titrant/twin/cmd", "json": {"id": "{question}", "do": "status", "key": "{key}"}},
    "presence": "titrant/twin/status",
    "safe": [{"topic": "titrant/twin/cmd", "json": {"id": "safe", "do": "stop"}}],
}


async def main(trials: int, port: int) -> None:
    lab = LabTwin(Kinetics(), behaviour=Behaviour(duration_s=600.0, noise_sd=0.5, places=2), clock=Pace(6000), seed=1)
    async with open_door(door_named("mqtt"), lab, broker_port=port), AsyncClient(random_seed=1) as client:
        await client.configure_experiment(
            [RangeParameterConfig("temperature_k", (293.15, 423.15)), RangeParameterConfig("minutes", (1.0, 20.0))]
        )
        await client.configure_optimization("yield")
        await client.configure_runner(MqttRunner(host="127.0.0.1", port=port, places=2, **DEVICE))
        await client.run_trials(max_trials=trials, parallelism=2, progress=False)
        parameters, values, trial, _ = await client.get_best_parameterization()
        print(f"best of {await lab.starts()} runs: trial {trial} at {parameters} gives {values}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12, help="how many (default: 12)")
    parser.add_argument("--port", type=int, default=1883, help="where the broker is, on this machine (default: 1883)")
    arguments = parser.parse_args()
    anyio.run(main, arguments.trials, arguments.port)
