"""What anybody may see without coming in: calls, public notices, results, where the money went."""
