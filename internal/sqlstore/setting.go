package sqlstore

// Setting implements fovea.Tx.
func (t *tx) Setting(name string) (value string, err error) {
	err = t.row(`SELECT value FROM settings WHERE name = $1`, name).Scan(&value)
	if err != nil {
		return "", missing(err, "setting %s", name)
	}
	return value, nil
}

// PutSetting implements fovea.Tx.
func (t *tx) PutSetting(name, value string) error {
	return t.exec("put the setting "+name, `
		INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2`, name, value)
}
