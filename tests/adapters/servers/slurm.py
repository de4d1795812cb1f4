"""A Slurm cluster of one node, out of Debian's packages: munged, slurmctld and slurmd without systemd.

Without the two words of CommunicationParameters both daemons listen on every interface.
"""

import getpass
import os
import socket
import subprocess

from tests.adapters.servers.process import LOOPBACK, free_port, program

SETTINGS = """
ClusterName=test
SlurmctldHost=localhost({loopback})
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldPort={controller}
SlurmdPort={node}
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
SelectType=select/cons_tres
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
MailProg=/bin/true
NodeName=localhost NodeAddr={loopback} CPUs=2 RealMemory=500 State=UNKNOWN
PartitionName=debug Nodes=localhost Default=YES MaxTime=INFINITE State=UP
"""


class Slurm:
    """The cluster; ``env`` is what the commands of Slurm need to find it."""

    def __init__(self, serve, folder):
        """Start the three daemons in their order; *serve* starts a server that ends with the session."""
        self.folder = folder
        self.settings = folder / "slurm.conf"
        self.env = os.environ | {"SLURM_CONF": str(self.settings)}
        for each in ("state", "spool"):
            (folder / each).mkdir()
        key = folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(1024))
        self.controller_port, self.node_port = free_port(), free_port()
        places = {"folder": folder, "loopback": LOOPBACK, "user": getpass.getuser()}
        self.settings.write_text(SETTINGS.format(**places, controller=self.controller_port, node=self.node_port))

        self.munge = serve("munged", self._munged, ready=self._munge_answers)
        self.controller = serve("slurmctld", self._daemon("slurmctld"), port=self.controller_port)
        self.node = serve("slurmd", self._daemon("slurmd"), port=self.node_port, ready=self._node_is_idle)

    def run(self, name, *args, check=True):
        """A command of Slurm's, such as ``run("sbatch", ...)``."""
        command = [program(name, "slurm-client"), *args]
        return subprocess.run(command, env=self.env, check=check, capture_output=True, text=True, timeout=60)

    def submit(self, script):
        """Submit the text of a shell script; give the job's number."""
        path = self.folder / "job.sh"
        path.write_text(f"#!/bin/sh\n{script}\n")
        return self.run("sbatch", "--parsable", "--output=/dev/null", path).stdout.strip()

    def end_of(self, job):
        """Wait for the end of a job; give its state and its exit code."""
        state = ""
        while state in {"", "PENDING", "CONFIGURING", "RUNNING", "COMPLETING"}:
            told = self.run("scontrol", "--oneliner", "show", "job", job).stdout
            fields = dict(each.split("=", 1) for each in told.split() if "=" in each)
            state = fields["JobState"]
        return state, fields["ExitCode"]

    def _munged(self, _):
        files = {name: self.folder / f"munge.{name}" for name in ("socket", "pid", "log", "seed", "key")}
        options = [f"--{name if name == 'socket' else f'{name}-file'}={path}" for name, path in files.items()]
        # By force: it wants its socket where all users can reach it, and the tests' folder is only ours.
        return [program("munged", "munge"), "--foreground", "--force", *options]

    def _daemon(self, name):
        return lambda _: [program(name, name), "-D", "-f", self.settings]

    def _munge_answers(self, _):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.folder / "munge.socket"))

    def _node_is_idle(self, server):
        server.connect()
        if self.run("sinfo", "--noheader", "--format=%T", check=False).stdout.strip() != "idle":
            raise ConnectionRefusedError("the node has not reported to the controller yet")
