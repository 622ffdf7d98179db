"""What the kit knows of our own networks: mappings from a sandbox's truth to tables, apart from every codec."""
