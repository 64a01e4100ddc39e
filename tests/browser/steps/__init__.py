"""Steps of a person at the platform's pages. Each waits for what a person would see; none sleeps."""
