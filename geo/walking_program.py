"""Build a walking network in a process of its own: `python -m geo.walking_program`.

Says how far it is in lines of JSON, one object each, then what it built or why it could not. Light,
so that it begins at once; who started it lets the network be used (`walking_files.use`).
"""

import gc
import json
import sys
from dataclasses import asdict
from pathlib import Path

from geo import walking_build


def main() -> None:
    """Build the city NAME from FILE, in FOLDER, under the name BUILD: these are the arguments."""
    gc.disable()  # millions of small objects and no rings: looking for these takes a fifth more
    source, folder, name, build = sys.argv[1:]
    try:
        manifest = walking_build.prepare(
            Path(source), Path(folder), name, build=build, progress=_progress
        )
    except (walking_build.NoStreets, RuntimeError, OSError) as error:
        _say(failed=str(error))
        raise SystemExit(1) from None
    _say(built=asdict(manifest))


def _progress(_stage: str, share: float) -> None:
    _say(share=share)


def _say(**values: object) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    main()
