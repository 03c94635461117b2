"""What must happen though no command asks for it: a cursor in the log each, under a lease; and what empties the outbox.

Webhooks and mail (``deliveries``, ``mails``) have neither: any worker may take a row that is due.
"""
