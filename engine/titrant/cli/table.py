"""The commands, in the order in which people meet them; read for ``--help`` without importing any of them."""

from __future__ import annotations

from typing import NamedTuple

START = "Start"
LOOK = "Look"
AUDIT = "Audit"
TELL = "Ask and tell"
JUDGE = "Judge trials and results"
CONTROL = "Control"


class Entry(NamedTuple):
    """A command: its name, where ``--help`` lists it, the module in ``titrant.cli``, and its docstring's first line."""

    name: str
    panel: str
    module: str
    help: str


TABLE = (
    Entry("demo", START, "demo", "Watch a closed loop optimize a simulated reaction, in under a minute."),
    Entry("new", START, "new", "Write a commented experiment file to begin with."),
    Entry("check", START, "check", "Check an experiment file: types, bounds, feasibility, names, and a dry run."),
    Entry("doctor", START, "doctor", "Look for what could go wrong on this machine, with a log or with a file."),
    Entry("run", START, "run", "Run the experiment in FILE; its log is made beside it."),
    Entry("resume", START, "resume", "Go on with the experiment in LOG, where it was left or killed."),
    Entry("ls", LOOK, "ls", "List the logs in a folder: trials, the best so far, and whether somebody runs them."),
    Entry("status", LOOK, "reading", "Say how an experiment stands: trials, runners, what it waits for, who runs it."),
    Entry("log", LOOK, "reading", "Print the events, a line each; with --json a document each."),
    Entry("show", LOOK, "reading", "Show the experiment, one trial, or one event; at any moment of its history."),
    Entry(
        "best",
        LOOK,
        "reading",
        "Show the best trial so far, as observed; with several objectives, the front.",
    ),
    Entry(
        "model",
        LOOK,
        "modelling",
        "Ask the model: how well it fits, which parameters matter, whether to stop.",
    ),
    Entry("watch", LOOK, "replaying", "Watch an experiment that another process runs; Ctrl-C ends the watching."),
    Entry("why", LOOK, "auditing", "Account for a trial: what it was made from, by whom, and what became of it."),
    Entry("replay", AUDIT, "replaying", "Play an experiment again, or derive its suggestions again and compare."),
    Entry(
        "whatif",
        AUDIT,
        "whatif",
        "Ask how the experiment would have gone with another method, parallelism or budget.",
    ),
    Entry("diff", AUDIT, "auditing", "Say what changed in an experiment between two moments."),
    Entry("acts", AUDIT, "auditing", "List what people and agents did: who, why, and what it was before and after."),
    Entry(
        "verify",
        AUDIT,
        "auditing",
        "Audit a log: chain, order, legality, signatures, snapshots.",
    ),
    Entry("head", AUDIT, "auditing", "Print the log's head, to be kept elsewhere and given to `verify --against`."),
    Entry("export", AUDIT, "exporting", "Export a log: whole, with a checker, or as a table, a crate or provenance."),
    Entry("unpack", AUDIT, "exporting", "Make a log of a whole export again; a tampered one is refused."),
    Entry("backup", AUDIT, "exporting", "Copy a log, also while it is written, and verify the copy."),
    Entry("ask", TELL, "telling", "Make trials to carry out oneself; tell their results with `tell`."),
    Entry("tell", TELL, "telling", "Tell the result of a trial that you carried out."),
    Entry("attach", TELL, "telling", "Add a trial with conditions of one's own, with its result where there is one."),
    Entry("import", TELL, "importing", "Add the trials of a CSV file, with their results."),
    Entry("replicate", TELL, "telling", "Carry a trial's conditions out once more, as a trial of its own."),
    Entry("executed", TELL, "telling", "Say what was really carried out, where it was not the plan."),
    Entry(
        "compare",
        TELL,
        "comparing",
        "Say which of two finished trials is better; where none are named, be asked about the pair that tells most.",
    ),
    Entry("approve", JUDGE, "judging", "Let a proposed trial go ahead."),
    Entry("reject", JUDGE, "judging", "Do not carry a proposed trial out."),
    Entry("hold", JUDGE, "judging", "Keep a waiting trial back until it is approved."),
    Entry("retry", JUDGE, "judging", "Carry a failed or unknown trial out once more."),
    Entry("abandon", JUDGE, "judging", "Give a trial up; its conditions are not suggested again."),
    Entry("fail", JUDGE, "judging", "Mark a trial as failed; its conditions may be suggested again."),
    Entry("resolve", JUDGE, "judging", "Say what became of a trial that titrant lost sight of (UNKNOWN)."),
    Entry("void", JUDGE, "judging", "Withdraw a finished result: kept in the history, forgotten by the model."),
    Entry("unvoid", JUDGE, "judging", "Let a withdrawn result count again."),
    Entry("correct", JUDGE, "telling", "Replace values of a finished trial; those before stay in the history."),
    Entry("note", JUDGE, "judging", "Add words to a trial or to the experiment."),
    Entry("sign", JUDGE, "judging", "Put one's name to everything in the log so far."),
    Entry("change", CONTROL, "changing", "Change the search space, the objective or the strategy in mid-experiment."),
    Entry(
        "learn",
        CONTROL,
        "learning",
        "Let models learn from the log of a past experiment too, as far as it is like the present one.",
    ),
    Entry("pause", CONTROL, "controlling", "Start no new trials; what runs goes on."),
    Entry("unpause", CONTROL, "controlling", "Start new trials again."),
    Entry("drain", CONTROL, "controlling", "Finish what runs, start nothing new, then end the run."),
    Entry("stop", CONTROL, "controlling", "Stop what runs, bring instruments into their safe states, end the run."),
    Entry("halt", CONTROL, "controlling", "Safe state everywhere at once, latched until reset; not an emergency stop."),
    Entry("reset", CONTROL, "controlling", "Release the latch of a halt; starts nothing."),
    Entry(
        "quarantine",
        CONTROL,
        "controlling",
        "Give a runner no more trials until it is restored; what runs on it goes on.",
    ),
    Entry("restore", CONTROL, "controlling", "Use a runner again that was quarantined."),
)
