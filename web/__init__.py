"""Everything over HTTP: ``v1`` is JSON for services and people's own tools, ``identity`` is who they are."""
