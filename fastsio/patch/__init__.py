"""The command `fastsio patch`: run another Python command in which `socketio` and `engineio` are fastsio.

May import: nothing. Puts the folder of our `sitecustomize` first in PYTHONPATH, which every interpreter that the
command starts runs as it begins: console scripts, reloaders and worker processes included.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

FOLDER = os.path.dirname(os.path.abspath(__file__))


def run(command: Sequence[str]) -> int:
    """Run a command with `fastsio.install()` in effect. Does not return where a process can be replaced.

    Returns:
        The exit code: the command's own, or 127 when there is no such program.
    """
    program = find_program(command[0])
    if program is None:
        print(f"fastsio patch: {command[0]}: no such program", file=sys.stderr)
        return 127
    environment = patched(os.environ)
    if os.name == "nt":  # a replaced process would lose its console there
        return subprocess.call([program, *command[1:]], env=environment)
    sys.stdout.flush()
    sys.stderr.flush()
    # The whole path, because an interpreter finds its environment by the name that it is called by.
    os.execve(program, [program, *command[1:]], environment)


def patched(environment: "os._Environ[str] | dict[str, str]") -> dict[str, str]:
    """Give an environment whose interpreters begin with our `sitecustomize`."""
    paths = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path and path != FOLDER]
    return {**environment, "PYTHONPATH": os.pathsep.join([FOLDER, *paths])}


def find_program(name: str) -> str | None:
    """Give the path of a program; those beside this interpreter come first, as in an activated environment."""
    beside = os.path.dirname(sys.executable)
    return shutil.which(name, path=os.pathsep.join([beside, os.environ.get("PATH", os.defpath)]))
