package main

import (
	"github.com/cloudnativelabs/kube-router/v2/pkg/utils"
)

// acceptNeighbourDiscovery accepts the messages with which IPv6 finds the link-layer address of a neighbour. They pass
// the firewall even within a bridge. Without this rule a policy drops them, and also the pods that the policy allows
// cannot find the pod that it protects. kube-router v2.1.0 has no such rule, and keeps rules at the start of its chains.
func acceptNeighbourDiscovery(iptables utils.IPTablesHandler) error {
	for _, chain := range []string{"KUBE-ROUTER-INPUT", "KUBE-ROUTER-FORWARD", "KUBE-ROUTER-OUTPUT"} {
		if err := ensureChain(iptables, chain); err != nil {
			return err
		}
		for _, message := range []string{"neighbour-solicitation", "neighbour-advertisement"} {
			if err := ensureFirst(iptables, chain, "-p", "ipv6-icmp", "-m", "icmp6", "--icmpv6-type", message, "-j", "ACCEPT"); err != nil {
				return err
			}
		}
	}
	return nil
}

func ensureChain(iptables utils.IPTablesHandler, chain string) error {
	exists, err := iptables.ChainExists("filter", chain)
	if err != nil || exists {
		return err
	}
	return iptables.NewChain("filter", chain)
}

func ensureFirst(iptables utils.IPTablesHandler, chain string, rule ...string) error {
	exists, err := iptables.Exists("filter", chain, rule...)
	if err != nil || exists {
		return err
	}
	return iptables.Insert("filter", chain, 1, rule...)
}
