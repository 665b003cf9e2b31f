"""The template on this machine: gateway, functions, table, queues, bus and scheduler."""
