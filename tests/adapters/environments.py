"""Servers that cannot share titrant's environment, each in one of its own: ``python tests/adapters/environments.py``.

One needs an older pydantic, one has fifty dependencies, one is under the GPL and only ever run as a program, one is
written in JavaScript.  What is installed already is left alone; ``--list`` tells what there is.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).parents[2] / ".venv-adapters"
PYTHON = {
    "madsci": ["madsci.node_module==0.8.1", "madsci.common==0.8.1", "madsci.client==0.8.1", "pydantic>=2.12,<2.14"],
    "flowchem": ["flowchem==1.1.6"],
    "lewis": ["lewis==1.4.0"],
}
NODE = {"opcua": ["node-opcua-server@2.186.0"]}
REMEDY = "run `make test-adapters`, or `python tests/adapters/environments.py`"


def folder(name):
    """Where the environment *name* is."""
    return HOME / name


def packages(name):
    """What belongs into it."""
    return PYTHON.get(name) or NODE[name]


def stamp(name):
    """Tells a finished environment from a half-made one, and from one for other versions."""
    wanted = hashlib.sha256("\n".join(packages(name)).encode()).hexdigest()[:16]
    return folder(name) / f"ready-{wanted}"


def make(name):
    """Install *name* afresh."""
    shutil.rmtree(folder(name), ignore_errors=True)
    folder(name).mkdir(parents=True)
    if name in NODE:
        npm = shutil.which("npm") or sys.exit("npm is not installed: run `make servers` (or apt-get install npm)")
        quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run([npm, "install", *quiet, "--prefix", folder(name), *packages(name)], check=True)
    else:
        subprocess.run([sys.executable, "-m", "venv", folder(name)], check=True)
        pip = [folder(name) / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *packages(name)], check=True)
    stamp(name).touch()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=[*PYTHON, *NODE], help="which (all)")
    parser.add_argument("--list", action="store_true", help="tell what there is, and make nothing")
    chosen = parser.parse_args()
    for name in chosen.names:
        if chosen.list or stamp(name).exists():
            print(f"{name}: {'ready' if stamp(name).exists() else 'missing'} ({', '.join(packages(name))})")
        else:
            print(f"{name}: installing {', '.join(packages(name))}", flush=True)
            make(name)


if __name__ == "__main__":
    main()
