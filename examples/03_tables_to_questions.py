"""Questions to the landed tables, in SQL: they are plain DuckDB tables, the same for every network.

adnet pull --since 2026-10-01 --until 2026-10-08 --to duckdb:ads.duckdb
python examples/03_tables_to_questions.py ads.duckdb
"""

import sys

import duckdb

QUESTIONS = {
    "Which offers turn clicks into money?": """
        WITH clicked AS (SELECT account, offer_name, count(*) AS clicks FROM clicks GROUP BY ALL),
             paid AS (SELECT account, offer_name, count(*) AS sales, sum(commission) AS income, currency
                      FROM transactions WHERE status IN ('approved', 'paid') GROUP BY ALL)
        SELECT account, offer_name, clicks, sales, income, round(income / clicks, 4) AS per_click, currency
        FROM clicked JOIN paid USING (account, offer_name) ORDER BY per_click DESC LIMIT 5""",
    "What does a click cost, network by network?": """
        SELECT network, sum(clicks) AS clicks, sum(spend) AS spend, round(sum(spend) / sum(clicks), 4) AS cpc, currency
        FROM stats WHERE level = 'campaign' GROUP BY ALL ORDER BY cpc""",
    "Which label (sub id) brings the declined ones?": """
        SELECT label, count(*) AS transactions, round(avg((status = 'declined')::INT), 3) AS declined
        FROM (SELECT status, unnest(sub_ids) AS label FROM transactions)
        GROUP BY ALL ORDER BY declined DESC, transactions DESC LIMIT 5""",
    "Is everything there?": """
        SELECT account, "table", outcome, count(*) AS runs FROM pulls
        GROUP BY ALL ORDER BY ALL""",
}


def main(path: str) -> None:
    with duckdb.connect(path, read_only=True) as database:
        for question, sql in QUESTIONS.items():
            print(question)
            for row in database.execute(sql).fetchall():
                print("  ", *row)


if __name__ == "__main__":
    main(sys.argv[1])
