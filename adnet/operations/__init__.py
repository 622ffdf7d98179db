"""Written once for all networks: report jobs, links, paging, batching, diff, plan, fan-out."""
