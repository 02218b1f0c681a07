package manifest

// A Type is a type of JSON value.
type Type uint8

// The JSON types.
const (
	Null Type = iota
	False
	True
	Number
	String
	Array
	Object
)

// A Node is one value of a document, or one key of an object.
type Node struct {
	Type    Type
	Escaped bool  // String: has a backslash, so its bytes are not its value
	Start   int32 // offset of its first byte in the line; of the opening quotation mark for a String
	End     int32 // offset after its last byte
	Next    int32 // index of the node after this value and all it holds
	Len     int32 // Array: elements; Object: members
}

// A Doc is a parsed JSON text as a flat list of nodes in the order of the
// text. Nodes[0] is the whole. The members of the object at i follow it: its
// first key is at i+1, the key's value at i+2, and the next key at the value's
// Next, up to the object's own Next. The elements of an array likewise:
// Members and Elements yield them. A Doc is reused from line to line without
// allocating.
type Doc struct {
	Text  []byte
	Nodes []Node

	spaced bool // there is white space between or around the tokens
}

// MaxDepth is how deeply arrays and objects may be nested.
const MaxDepth = 512
