"""What others need to test their parts: contracts as pytest classes.  Nothing that runs imports this."""
