"""Goal 7: what decompression costs a row, with Python's own zlib and with the optional extra `adnet[fast]`."""

import json
import os
import subprocess
import sys
import time

from common import HERE
from server import Pages

READS = 200
ISAL = HERE / ".venvs" / "isal"
# Where the C library gives a page's memory back and asks for it again each time, clearing it costs three times what
# unpacking does; whether it does so is chance, from process to process.
_KEEP_FREED = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}


def inside(rounds: int) -> None:
    """Print the microseconds a row that BodyReader takes for a zipped page, in this process."""
    from adnet.transport.ceilings import BodyReader, Ceilings

    body, ceilings = Pages(2, 1000, zipped=True).body(1), Ceilings()
    best = []
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(READS):
            reader = BodyReader("gzip", ceilings)
            for start in range(0, len(body), 65536):
                reader.feed(body[start : start + 65536])
            assert len(reader.finish()) > 400_000
        best.append((time.process_time() - started) / READS / 1000 * 1e6)
    print(json.dumps({"us_per_row": sorted(best)[rounds // 2], "packed_bytes": len(body)}))


def measure(rounds: int = 5) -> dict[str, dict[str, float] | None]:
    """Return the figures of both; the second is None where the extra cannot be installed."""
    if not ISAL.exists():
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "--target", str(ISAL), "isal>=1.7"], check=False)
    found: dict[str, dict[str, float] | None] = {}
    for name, path in (("zlib", ""), ("isal", str(ISAL))):
        code = f"import sys; sys.path[:0] = [{path!r}] * bool({path!r}); sys.path.insert(0, {str(HERE)!r});"
        if name == "isal" and not ISAL.exists():
            found[name] = None
            continue
        if name == "zlib":
            code += "sys.modules['isal'] = None;"
        code += f"import gzipped; gzipped.inside({rounds})"
        done = subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **_KEEP_FREED},
        )
        found[name] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
