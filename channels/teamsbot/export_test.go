package teamsbot

// Local lets a bot speak with an identity provider and a service on this machine.
func (c Config) Local(metadata, login string) Config {
	c.metadata, c.login, c.loopback = metadata, login, true
	return c
}
