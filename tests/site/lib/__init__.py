"""What the site tests are made of: namespaces, the daemon, receivers, peers."""
