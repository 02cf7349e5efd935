"""Pictures. They take numbers and know nothing of networks or widgets."""
