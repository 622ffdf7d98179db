"""A report to Parquet with airbyte-cdk's low-code manifest, in its own environment: `… - BASE FOLDER PAGE_ROWS`."""

import logging
import sys

from airbyte_cdk.models import (
    AirbyteStream,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from peer import report, to_parquet

BASE, FOLDER = sys.argv[2:4]
TEXTS = (
    "conversionStatus slug offerName mediaName productGroupName transactionType trackingMethod trackingId adLinkName"
    " currency country saved"
)
SCHEMA = {
    "type": "object",
    "properties": {
        **{name: {"type": ["string", "null"]} for name in TEXTS.split()},
        **{
            name: {"type": ["number", "null"]}
            for name in ("transactionAmount", "commission", "commissionRep")
        },
        "reference": {"type": "array", "items": {"type": "string"}},
    },
}
MANIFEST = {
    "version": "6.0.0",
    "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["transactions"]},
    "streams": [
        {
            "type": "DeclarativeStream",
            "name": "transactions",
            "primary_key": ["trackingId"],
            "schema_loader": {"type": "InlineSchemaLoader", "schema": SCHEMA},
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {
                    "type": "HttpRequester",
                    "url_base": f"{BASE}/api",
                    "path": "/transactions/airbyte",
                    "http_method": "GET",
                },
                "record_selector": {
                    "type": "RecordSelector",
                    "extractor": {"type": "DpathExtractor", "field_path": ["data"]},
                },
                "paginator": {
                    "type": "DefaultPaginator",
                    "page_token_option": {
                        "type": "RequestOption",
                        "inject_into": "request_parameter",
                        "field_name": "page",
                    },
                    "pagination_strategy": {
                        "type": "PageIncrement",
                        "start_from_page": 1,
                        "page_size": int(sys.argv[4]),
                        "inject_on_first_request": True,
                    },
                },
            },
        }
    ],
}


def records():
    logging.disable(logging.CRITICAL)
    stream = ConfiguredAirbyteStream(
        stream=AirbyteStream(
            name="transactions", json_schema=SCHEMA, supported_sync_modes=[SyncMode.full_refresh]
        ),
        sync_mode=SyncMode.full_refresh,
        destination_sync_mode=DestinationSyncMode.append,
    )
    catalog = ConfiguredAirbyteCatalog(streams=[stream])
    source = ConcurrentDeclarativeSource(catalog=catalog, config={}, state=None, source_config=MANIFEST)
    for message in source.read(logging.getLogger("bench"), {}, catalog, None):
        if message.record:
            yield message.record.data


if __name__ == "__main__":
    report(lambda: to_parquet(records(), f"{FOLDER}/rows.parquet"))
