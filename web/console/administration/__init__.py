"""What administrators see of the installation, and where its registers are kept."""
