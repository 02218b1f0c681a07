package lint

// Codes returns the codes that the checkers of both services share.
func Codes() []string { return []string{MoreProblems, OddBucket, OddKey, SchemeCase} }
