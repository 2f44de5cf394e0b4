package main

import (
	"cmp"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"instancelink.io/tools/twin/v1alpha1"
)

// conditionsOf are the conditions that the operator writes, with its order and its messages.
func conditionsOf(link *v1alpha1.InstanceLink, w *world, state v1alpha1.State, now time.Time) []metav1.Condition {
	var all []metav1.Condition
	say := func(kind string, is bool, reason, message string) {
		status := metav1.ConditionFalse
		if is {
			status = metav1.ConditionTrue
		}
		since := metav1.NewTime(now.Truncate(time.Second))
		for _, old := range link.Status.Conditions {
			if old.Type == kind && old.Status == status {
				since = old.LastTransitionTime
			}
		}
		all = append(all, metav1.Condition{
			Type: kind, Status: status, ObservedGeneration: link.Generation, LastTransitionTime: since,
			Reason: reason, Message: message,
		})
	}
	leaving := !link.DeletionTimestamp.IsZero() || state == v1alpha1.Purging
	rests := messages[state] == ""
	is := fmt.Sprintf("the link is %s", state)
	if !leaving {
		say("Accepted", true, "Accepted", "the spec can be served")
		target := link.Spec.TargetInstanceRef
		switch {
		case target == nil:
			say("ResolvedRefs", true, "NoTarget", "spec.targetInstanceRef is not set: the alias resolves to nothing")
		case w.targetUID == "":
			say("ResolvedRefs", false, "TargetNotFound", fmt.Sprintf("target %s %s does not exist", target.Kind, target.Name))
		default:
			say("ResolvedRefs", true, "Resolved", "source and target were found")
		}
	}
	if rests {
		say("Programmed", true, "Programmed", "the API server confirmed what this state asks for")
	} else {
		say("Programmed", false, "Pending", is)
	}
	switch {
	case !at(state, v1alpha1.Active, v1alpha1.UpdatingActive):
		say("Available", false, "NotActive", "the link is not active")
	case w.ready():
		say("Available", true, "EndpointsReady", "the alias has ready endpoints")
	case link.Spec.TargetInstanceRef == nil:
		say("Available", false, "NoTarget", "the link names no target")
	default:
		say("Available", false, "NoReadyEndpoints", "no endpoint of the target is ready")
	}
	if rests {
		say("Ready", true, "Ready", is)
	} else {
		say("Ready", false, "Transitioning", is)
		say("Reconciling", true, "Transitioning", is)
	}
	if !leaving {
		say("Enforced", false, "DNSOnly",
			"being cut, the link takes names and addresses away; who knows an address still reaches it")
	}
	return all
}

func protocolOf(protocol corev1.Protocol) corev1.Protocol {
	return cmp.Or(protocol, corev1.ProtocolTCP)
}
