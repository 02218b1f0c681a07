package sqlstore

import "fovea"

// Token implements fovea.Tx.
func (t *tx) Token(k fovea.TokenKey) (*fovea.Token, error) {
	token := fovea.Token{Key: k}
	var used int64
	err := t.row(`
		SELECT params, answer, used FROM tokens
		WHERE account = $1 AND region = $2 AND operation = $3 AND value = $4`,
		k.Account, k.Region, k.Operation, k.Value).Scan(&token.Params, &token.Answer, &used)
	if err != nil {
		return nil, missing(err, "client token %s of %s", k.Value, k.Operation)
	}
	token.Used = fromMillis(used)
	return &token, nil
}

// PutToken implements fovea.Tx.
func (t *tx) PutToken(token *fovea.Token) error {
	k := token.Key
	return t.exec("put a client token of "+k.Operation, `
		INSERT INTO tokens (account, region, operation, value, params, answer, used) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (account, region, operation, value) DO UPDATE SET params = $5, answer = $6, used = $7`,
		k.Account, k.Region, k.Operation, k.Value, token.Params, notNil(token.Answer), millis(token.Used))
}
