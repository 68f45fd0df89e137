"""``python -m allonym`` and the ``allonym`` command: the same Rust code as the binary."""

import signal
import sys
import threading

from allonym import _allonym


def main() -> None:
    """Run the command line on ``sys.argv`` and exit with its code."""
    if threading.current_thread() is threading.main_thread():
        # The command has its own way with Ctrl-C; Python's would raise after it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_allonym.main(["allonym", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
