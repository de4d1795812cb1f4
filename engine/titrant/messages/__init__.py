"""What is said: commands (asked), events (happened) and how both become bytes."""
