"""Two processes of one run: python two.py COMMAND... is what torchrun does, without importing torch to do it."""

import os
import socket
import subprocess
import sys


def main() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    ranks = [
        subprocess.Popen([sys.executable, *sys.argv[1:]], env={**os.environ, **told, "RANK": r, "LOCAL_RANK": r})
        for r in "01"
    ]
    return max(abs(rank.wait()) for rank in ranks)


if __name__ == "__main__":
    sys.exit(main())
