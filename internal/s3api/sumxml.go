package s3api

import (
	"encoding/xml"
)

// A sumXML is a checksum as an element named for its algorithm, and its type.
type sumXML struct{ sum }

// MarshalXML implements xml.Marshaler.
func (s sumXML) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	if err := s.encode(e); err != nil {
		return err
	}
	return e.EncodeToken(start.End())
}

func (s sumXML) encode(e *xml.Encoder) error {
	element := func(name, value string) error {
		return e.EncodeElement(value, xml.StartElement{Name: xml.Name{Local: name}})
	}
	if err := element("Checksum"+s.Algorithm, s.Value); err != nil {
		return err
	}
	return element("ChecksumType", s.Type)
}

// A flatSum is a checksum whose element stands among those of its parent.
type flatSum struct {
	XMLName xml.Name
	Value   string `xml:",chardata"`
}

func flatten(s sum) *flatSum {
	if s.Algorithm == "" {
		return nil
	}
	return &flatSum{xml.Name{Local: "Checksum" + s.Algorithm}, s.Value}
}
