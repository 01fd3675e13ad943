"""The steps of a key's rotation: editing the file of secrets, and seeing which key is in use."""
