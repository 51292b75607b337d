"""Serves the agents of the examples: `python examples/serve.py [HOST:PORT]`.

Needs the client: `pip install ./clients/python`. The agents are plain functions, one file a
domain in `agents/`; none of them calls a model or the network, so that a run gives the same
each time.
"""

import sys

from tutti import Worker

import agents

ADDRESS = "127.0.0.1:7420"


def main() -> None:
    address = sys.argv[1] if len(sys.argv) > 1 else ADDRESS
    worker = agents.worker(address)
    print(f"serving {len(agents.ALL)} agents at {address}, Ctrl-C ends it", flush=True)
    worker.run()


if __name__ == "__main__":
    main()
