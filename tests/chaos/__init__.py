"""Everything goes wrong at once: replicas die, Slack stumbles, the database goes away; and still each message is answered once."""
