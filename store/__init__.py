"""The event store: the only room that asks the log by SQL; ``local`` speaks some to set a server up."""
