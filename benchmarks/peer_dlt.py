"""A report to Parquet with dlt, in dlt's own environment: `peer_dlt.py rows|arrow BASE FOLDER`."""

import os
import sys

os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}

import dlt
import pyarrow as pa
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.paginators import PageNumberPaginator
from peer import report

WAY, BASE, FOLDER = sys.argv[1:4]


@dlt.resource(name="transactions", write_disposition="append")
def transactions():
    client = RESTClient(
        base_url=f"{BASE}/api",
        paginator=PageNumberPaginator(base_page=1, total_path="pagesNumber"),
        data_selector="data",
    )
    for page in client.paginate("/transactions/dlt"):
        yield pa.Table.from_pylist(list(page)) if WAY == "arrow" else page


def work() -> int:
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=f"{FOLDER}/work",
        destination=dlt.destinations.filesystem(bucket_url=f"{FOLDER}/out"),
        dataset_name="bench",
    )
    pipeline.run(transactions(), loader_file_format="parquet")
    return pipeline.last_trace.last_normalize_info.row_counts["transactions"]


if __name__ == "__main__":  # dlt may start processes of its own
    report(work)
