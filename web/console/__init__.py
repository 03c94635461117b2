"""The console: everybody's work on pages, rendered here; every act works without a script."""
