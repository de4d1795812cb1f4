"""An OT-2 as far as it was recorded, and no further.

Every answer has the form of one of the 21 exchanges in ``data/opentrons/transcript.json``; a request that none of
them covers raises NotRecorded, so that no adapter comes to rely on behaviour that somebody made up.
"""

import datetime
import json
import re
import uuid
from pathlib import Path

RECORDED = json.loads((Path(__file__).parents[1] / "data/opentrons/transcript.json").read_text())
HEALTH, PIPETTES, MODULES = (each["response"] for each in RECORDED[:3])
UNKNOWN_COMMAND = next(each["response"] for each in RECORDED if each["status"] == 422)
KNOWN_COMMANDS = UNKNOWN_COMMAND["errors"][0]["detail"].split("allowed values")[1]
RUN_STOPPED = next(each["response"] for each in RECORDED if each["status"] == 409)

TIP_RACK, PLATE = "opentrons_96_tiprack_300ul", "corning_96_wellplate_360ul_flat"
CORNERS = {("1", TIP_RACK): (14.38, 74.24, 64.69), ("2", PLATE): (146.88, 74.24, 14.219999999999999)}
"""Where well A1 is on the deck, for the two labwares in the two slots that were recorded."""
PITCH = 9.0
DROPPED_Z = 35.04
TIP = {"tipVolume": 300.0, "tipLength": 51.83, "tipDiameter": 5.23}
WELL = re.compile(r"([A-H])([1-9]|1[0-2])")


class NotRecordedError(Exception):
    """The recording does not tell how the real robot answers this."""


class Refused(Exception):
    """An answer with an error status."""

    def __init__(self, status, body):
        super().__init__(status)
        self.status, self.body = status, body


def now():
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")


def require(condition, what):
    if not condition:
        raise NotRecordedError(f"the recording does not tell what the robot does with {what}")


class Run:
    """One run: its labware, its pipette, the tip on it, and the commands given."""

    def __init__(self, begin):
        self.begin = begin
        self.id, self.created, self.completed = str(uuid.uuid4()), now(), None
        self.current, self.homed = True, False
        self.labware, self.pipettes, self.actions, self.commands = {}, {}, [], {}
        self.tip, self.volume, self.used_tips = None, 0.0, set()

    def answer(self):
        ends = {"completedAt": self.completed} if self.completed else {}
        return {
            "id": self.id, "ok": True, "createdAt": self.created,
            "status": "stopped" if self.completed else "idle", "current": self.current, "actions": self.actions,
            "errors": [], "hasEverEnteredErrorRecovery": False, "pipettes": list(self.pipettes.values()),
            "modules": [], "labware": list(self.labware.values()), "liquids": [], "labwareOffsets": [],
            "runTimeParameters": [], "outputFileIds": [],
        } | ends  # fmt: skip

    def act(self, kind):
        require(kind == "stop", f"the action {kind!r}")
        require(not self.completed and self.current, "a stop of a run that is not current or has stopped")
        action = {"id": str(uuid.uuid4()), "createdAt": now(), "actionType": kind}
        self.actions.append(action)
        self.completed = now()
        return action

    def accept(self, kind, params, *, waited_for):
        """Check a command and enter it as running."""
        if self.completed:
            raise Refused(409, RUN_STOPPED)
        if kind not in PARAMETERS:
            require(f"'{kind}'" not in KNOWN_COMMANDS, kind)
            detail = UNKNOWN_COMMAND["errors"][0]["detail"].replace("frobnicate", str(kind))
            raise Refused(422, {"errors": [UNKNOWN_COMMAND["errors"][0] | {"detail": detail}]})
        require(waited_for, "a command that is not waited for, or without a timeout")
        require(self.current, "a command to a run that another one has replaced")
        require(not any(each["status"] == "running" for each in self.commands.values()), "a command while one runs")
        require(set(params) == PARAMETERS[kind], f"the parameters {sorted(params)} of {kind}")
        params, outcome = getattr(self, f"_{kind}")(dict(params))
        self.begin(kind)
        key = str(uuid.uuid4())
        command = {"id": key, "createdAt": now(), "commandType": kind, "key": key, "status": "running"}
        command |= {"params": params, "startedAt": now(), "intent": "setup"}
        self.commands[key] = command
        return command, outcome

    def complete(self, command, outcome):
        """End a command well or, where the outcome is an error, badly; not one that a stop has overtaken."""
        if not self.completed:
            command |= {"status": "failed" if "error" in outcome else "succeeded", "completedAt": now(), "notes": []}
            command |= outcome

    def command(self, key):
        require(key in self.commands, "a command that it never had")
        require(not (self.completed and self.commands[key]["status"] == "running"), "a command overtaken by a stop")
        return self.commands[key]

    def _home(self, params):
        self.homed = True
        return params, {"result": {}}

    def _waitForDuration(self, params):  # noqa: N802  (the robot's word for it)
        return {"seconds": float(params["seconds"])}, {"result": {}}

    def _loadLabware(self, params):  # noqa: N802
        slot, name = params["location"]["slotName"], params["loadName"]
        require((slot, name) in CORNERS, f"labware {name} in slot {slot}")
        require(all(slot != each["location"]["slotName"] for each in self.labware.values()), "a slot filled twice")
        key, uri = str(uuid.uuid4()), f"{params['namespace']}/{name}/{params['version']}"
        self.labware[key] = {"id": key, "loadName": name, "definitionUri": uri, "location": {"slotName": slot}}
        return params, {"result": {"labwareId": key, "definition": "<cut: full labware definition>"}}

    def _loadPipette(self, params):  # noqa: N802
        require(params == {"pipetteName": "p300_single", "mount": "right"} and not self.pipettes, f"pipette {params}")
        key = str(uuid.uuid4())
        self.pipettes[key] = {"id": key, **params}
        return params, {"result": {"pipetteId": key}}

    def _pickUpTip(self, params):  # noqa: N802
        well, position = self._at(params, TIP_RACK)
        require(self.tip is None and well not in self.used_tips, "a second tip, or one from an empty place")
        self.tip = well
        self.used_tips.add(well)
        return params | over("top"), {"result": {"position": position, **TIP}}

    def _dropTip(self, params):  # noqa: N802
        _, position = self._at(params, TIP_RACK)
        require(self.tip is not None, "a tip dropped where none is")
        self.tip, self.volume = None, 0.0
        params |= over("default") | {"alternateDropLocation": False}
        return params, {"result": {"position": position | {"z": DROPPED_Z}}}

    def _aspirate(self, params):
        params, position, volume = self._liquid(params)
        if self.tip is None:
            return params, no_tip()
        require(self.volume + volume <= TIP["tipVolume"], "more than the tip holds")
        self.volume += volume
        return params, {"result": {"position": position, "volume": volume}}

    def _dispense(self, params):
        params, position, volume = self._liquid(params)
        require(self.tip is not None and volume <= self.volume, "more dispensed than there is in the tip")
        self.volume -= volume
        return params, {"result": {"position": position, "volume": volume}}

    def _liquid(self, params):
        _, position = self._at(params, PLATE)
        volume, rate = float(params["volume"]), float(params["flowRate"])
        require(volume > 0 and rate > 0, "an amount or a rate that is not positive")
        where = over("top")["wellLocation"] | {"volumeOffset": 0.0}
        return params | {"wellLocation": where, "volume": volume, "flowRate": rate}, position, volume

    def _at(self, params, kind):
        """The well that a command names and its place: wells of both labwares lie 9 mm apart."""
        well = WELL.fullmatch(params["wellName"])
        labware = self.labware.get(params["labwareId"], {})
        require(well and labware.get("loadName") == kind and params["pipetteId"] in self.pipettes, f"{params}")
        require(self.homed, "a movement before the robot was homed")
        x, y, z = CORNERS[labware["location"]["slotName"], kind]
        row, column = "ABCDEFGH".index(well[1]), int(well[2]) - 1
        return params["wellName"], {"x": round(x + PITCH * column, 2), "y": round(y - PITCH * row, 2), "z": z}


MOVE = {"pipetteId", "labwareId", "wellName"}
PARAMETERS = {
    "home": set(),
    "waitForDuration": {"seconds"},
    "loadLabware": {"location", "loadName", "namespace", "version"},
    "loadPipette": {"pipetteName", "mount"},
    "pickUpTip": MOVE,
    "dropTip": MOVE,
    "aspirate": MOVE | {"volume", "flowRate"},
    "dispense": MOVE | {"volume", "flowRate"},
}


def over(origin):
    return {"wellLocation": {"origin": origin, "offset": {"x": 0, "y": 0, "z": 0}}}


def no_tip():
    """How the robot tells that it has no tip: the one failure of a command that was recorded."""
    recorded = next(each["response"]["data"] for each in RECORDED if '"failed"' in json.dumps(each["response"]))
    error = recorded["error"] | {"id": str(uuid.uuid4()), "createdAt": now()}
    return {"error": error, "notes": recorded["notes"]}


class Robot:
    """The robot: its runs, of which the newest is the current one."""

    def __init__(self, begin):
        self.begin, self.runs = begin, {}

    def new_run(self):
        for run in self.runs.values():
            run.current = False
        run = Run(self.begin)
        self.runs[run.id] = run
        return run

    def run(self, key):
        require(key in self.runs, "a command to a run that it never had")
        return self.runs[key]

    def look_up(self, key):
        if key not in self.runs:
            body = json.loads(json.dumps(RECORDED[-1]["response"]).replace("no-such-run", key))
            raise Refused(404, body)
        return self.runs[key]
