package main

import (
	"slices"

	"github.com/cloudnativelabs/kube-router/v2/pkg/utils"
	v1 "k8s.io/api/core/v1"
)

// addressSets are the ipsets of one address family. Two faults of kube-router v2.1.0 leave IPv6 open, and this type
// corrects them. Its sets of IPv6 have names ("inet6:…") that its rules do not use, so ip6tables refuses the rules. And
// each family takes all existing sets for its own.
type addressSets struct {
	*utils.IPSet
	family string
}

func newAddressSets(withIPv6 bool) (map[v1.IPFamily]utils.IPSetHandler, error) {
	families := map[v1.IPFamily]string{v1.IPv4Protocol: utils.FamillyInet}
	if withIPv6 {
		families[v1.IPv6Protocol] = utils.FamillyInet6
	}
	all := map[v1.IPFamily]utils.IPSetHandler{}
	for protocol, family := range families {
		// As sets of IPv4, whose names have no prefix.
		handler, err := utils.NewIPSet(false)
		if err != nil {
			return nil, err
		}
		all[protocol] = addressSets{handler, family}
	}
	return all, nil
}

// RefreshSet replaces the entries of a set. A new set gets the family of these sets.
func (s addressSets) RefreshSet(name string, entries [][]string, kind string) {
	isNew := s.Get(name) == nil
	s.IPSet.RefreshSet(name, entries, kind)
	if isNew {
		s.Get(name).Options = []string{kind, "family", s.family, "timeout", "0"}
	}
}

// Save reads the existing sets, and forgets those of the other family.
func (s addressSets) Save() error {
	err := s.IPSet.Save()
	for name, set := range s.Sets() {
		if !slices.Contains(set.Options, s.family) {
			delete(s.Sets(), name)
		}
	}
	return err
}
