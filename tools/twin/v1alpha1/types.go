// Package v1alpha1 has the types of the CRD, without `lastAction`, which the twin never writes.
//
// +kubebuilder:object:generate=true
//
//go:generate go run sigs.k8s.io/controller-tools/cmd/controller-gen@v0.20.1 object paths=.
package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// GroupVersion is that of the CRD.
var GroupVersion = schema.GroupVersion{Group: "instancelink.dev", Version: "v1alpha1"}

// AddToScheme adds the kinds to a scheme.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &InstanceLink{}, &InstanceLinkList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}

// Reference names an instance.
type Reference struct {
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Namespace  string `json:"namespace,omitempty"`
}

// Port is one port of a link.
type Port struct {
	Name       string              `json:"name"`
	Port       int32               `json:"port"`
	TargetPort *intstr.IntOrString `json:"targetPort,omitempty"`
	Protocol   corev1.Protocol     `json:"protocol,omitempty"`
}

// Activation says how a link becomes active.
type Activation struct {
	TargetWaitSeconds *int64 `json:"targetWaitSeconds,omitempty"`
}

// Deactivation says how a link becomes inactive.
type Deactivation struct {
	DrainSeconds *int64 `json:"drainSeconds,omitempty"`
}

// Binding asks for a Secret.
type Binding struct {
	Type      string                       `json:"type"`
	Provider  string                       `json:"provider,omitempty"`
	SecretRef *corev1.LocalObjectReference `json:"secretRef,omitempty"`
}

// Outputs are what a link provides in addition to its alias.
type Outputs struct {
	Environment string   `json:"environment,omitempty"`
	Binding     *Binding `json:"binding,omitempty"`
}

// InstanceLinkSpec is the desired link.
type InstanceLinkSpec struct {
	Name                     string        `json:"name,omitempty"`
	Description              string        `json:"description,omitempty"`
	LinkName                 string        `json:"linkName"`
	InstanceRef              Reference     `json:"instanceRef"`
	TargetInstanceRef        *Reference    `json:"targetInstanceRef,omitempty"`
	DesiredState             string        `json:"desiredState,omitempty"`
	Ports                    []Port        `json:"ports,omitempty"`
	Addressing               string        `json:"addressing,omitempty"`
	PublishNotReadyAddresses bool          `json:"publishNotReadyAddresses,omitempty"`
	Activation               *Activation   `json:"activation,omitempty"`
	Deactivation             *Deactivation `json:"deactivation,omitempty"`
	NetworkPolicy            string        `json:"networkPolicy,omitempty"`
	Outputs                  *Outputs      `json:"outputs,omitempty"`
	TTLSecondsAfterRemoved   *int64        `json:"ttlSecondsAfterRemoved,omitempty"`
	TTLSecondsAfterPurged    *int64        `json:"ttlSecondsAfterPurged,omitempty"`
}

// State is the state of a link.
type State string

// The states that the twin uses.
const (
	Requested        State = "requested"
	Registering      State = "registering"
	Activating       State = "activating"
	Active           State = "active"
	UpdatingActive   State = "updating-active"
	Deactivating     State = "deactivating"
	Inactive         State = "inactive"
	UpdatingInactive State = "updating-inactive"
	Purging          State = "purging"
)

// HistoryEntry is one past state of a link.
type HistoryEntry struct {
	State State            `json:"state"`
	At    metav1.MicroTime `json:"at"`
	Cause string           `json:"cause"`
}

// InstanceLinkStatus is the observed link.
type InstanceLinkStatus struct {
	ID                    *int64             `json:"id,omitempty"`
	Kind                  string             `json:"kind,omitempty"`
	Name                  string             `json:"name,omitempty"`
	State                 State              `json:"state,omitempty"`
	InstanceID            string             `json:"instanceId,omitempty"`
	TargetInstanceID      string             `json:"targetInstanceId,omitempty"`
	LinkName              string             `json:"linkName,omitempty"`
	AccountID             string             `json:"accountId,omitempty"`
	Created               *metav1.Time       `json:"created,omitempty"`
	Description           string             `json:"description,omitempty"`
	Transitioning         string             `json:"transitioning,omitempty"`
	TransitioningMessage  string             `json:"transitioningMessage,omitempty"`
	TransitioningProgress *int32             `json:"transitioningProgress,omitempty"`
	UUID                  string             `json:"uuid,omitempty"`
	ObservedGeneration    *int64             `json:"observedGeneration,omitempty"`
	FQDN                  string             `json:"fqdn,omitempty"`
	Target                *Reference         `json:"target,omitempty"`
	ProgrammedHash        string             `json:"programmedHash,omitempty"`
	AvailableActions      []string           `json:"availableActions,omitempty"`
	History               []HistoryEntry     `json:"history,omitempty"`
	Conditions            []metav1.Condition `json:"conditions,omitempty"`
}

// InstanceLink gives a target a name for a source.
// +kubebuilder:object:root=true
type InstanceLink struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              InstanceLinkSpec   `json:"spec"`
	Status            InstanceLinkStatus `json:"status,omitempty"`
}

// InstanceLinkList is a list of them.
// +kubebuilder:object:root=true
type InstanceLinkList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []InstanceLink `json:"items"`
}
