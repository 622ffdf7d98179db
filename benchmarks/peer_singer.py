"""A report to Parquet with singer-sdk, in its own environment: `peer_singer.py - BASE FOLDER`.

A tap of the SDK writes Singer messages to a pipe; the least that a target can do reads them and writes Parquet.
"""

import json
import subprocess
import sys

from peer import report, to_parquet

BASE, FOLDER = sys.argv[2:4]


def tap() -> None:
    from singer_sdk import RESTStream, Tap
    from singer_sdk import typing as th
    from singer_sdk.pagination import BasePageNumberPaginator

    class Pages(BasePageNumberPaginator):
        def has_more(self, response):
            return self.current_value < response.json()["pagesNumber"]

    class Transactions(RESTStream):
        name = "transactions"
        path = "/transactions/singer"
        url_base = f"{BASE}/api"
        records_jsonpath = "$.data[*]"
        primary_keys = ("trackingId",)
        schema = th.PropertiesList(
            *(th.Property(name, th.StringType) for name in TEXTS.split()),
            *(th.Property(name, th.NumberType) for name in NUMBERS.split()),
            th.Property("reference", th.ArrayType(th.StringType)),
        ).to_dict()

        def get_new_paginator(self):
            return Pages(1)

        def get_url_params(self, context, next_page_token):  # noqa: ARG002
            return {"page": next_page_token or 1}

    class Bench(Tap):
        name = "tap-bench"
        config_jsonschema = th.PropertiesList().to_dict()

        def discover_streams(self):
            return [Transactions(tap=self)]

    Bench(config={}).sync_all()


TEXTS = (
    "conversionStatus slug offerName mediaName productGroupName transactionType trackingMethod trackingId adLinkName"
    " currency country saved"
)
NUMBERS = "transactionAmount commission commissionRep"


def records():
    command = [sys.executable, __file__, "tap", BASE, FOLDER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        for line in process.stdout:
            message = json.loads(line)
            if message["type"] == "RECORD":
                yield message["record"]


if __name__ == "__main__":
    if sys.argv[1] == "tap":
        tap()
    else:
        report(lambda: to_parquet(records(), f"{FOLDER}/rows.parquet"))
