"""Runs one program so that it cannot outlive its supervisor: `python -m cdp_site.operations.supervised PID COMMAND…`.

On Linux this process asks the kernel for a SIGTERM when its parent dies and then becomes the program. Elsewhere it
stays beside the program, looks after its parent every second and hands signals on. Standard library only.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main(arguments: Sequence[str]) -> int:
    supervisor, command = int(arguments[0]), list(arguments[1:])
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is None:
        return _stay_beside(supervisor, command)
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() == supervisor:  # else it died before the kernel knew of our wish
        os.execvp(command[0], command)
    return 1


def _stay_beside(supervisor: int, command: list[str]) -> int:
    program = subprocess.Popen(command)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: program.send_signal(received))
    while program.poll() is None:
        if os.getppid() != supervisor:
            program.terminate()
        time.sleep(1)
    return program.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
