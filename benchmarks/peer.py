"""What the peers' scripts share; imported in each peer's own environment."""

import json
import resource
import time
from pathlib import Path


def report(work) -> None:
    """Run *work* and print rows, wall seconds, CPU seconds and peak of memory."""
    before, wall = _cpu_s(), time.perf_counter()
    rows = work()
    wall, cpu = time.perf_counter() - wall, _cpu_s() - before
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak = next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))
    print(json.dumps({"rows": rows, "wall_s": wall, "cpu_s": cpu, "peak_mb": peak}))


def _cpu_s() -> float:
    """CPU seconds of this process and of those that it has waited for."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in both)


def to_parquet(rows, path: str, batch: int = 10_000) -> int:
    """Write an iterable of dictionaries to one Parquet file, and return their number."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer, count, held = None, 0, []

    def flush() -> None:
        nonlocal writer
        table = pa.Table.from_pylist(held)
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table.cast(writer.schema))
        held.clear()

    for row in rows:
        held.append(row)
        count += 1
        if len(held) == batch:
            flush()
    if held:
        flush()
    if writer:
        writer.close()
    return count
