//! Each reason that asks a person for something has a test that takes the next step out of its message, does it as the person
//! whom the message is for, and sees the link heal (contract#next-steps). A new reason does not compile without its entry.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use instancelink_api::condition::Reason;
use security::{is_a_test, text};

/// Who does the next step of a message, and where.
enum Next {
    /// These end-to-end tests, each as `<file>::<test>`.
    Tests(&'static [&'static str]),
    /// No one: why.
    Nothing(&'static str),
    /// Someone outside of the cluster's API: what, and why no end-to-end test does it.
    Outside(&'static str),
}

use Next::{Nothing, Outside, Tests};

fn next(reason: Reason) -> Next {
    match reason {
        Reason::AliasConflict | Reason::DirectoryConflict => Tests(&[
            "side_by_side/next_steps::an_alias_and_a_directory_that_another_link_has_are_free_after_the_command_of_the_message",
        ]),
        Reason::InvalidPorts | Reason::AddressingNotPossible => {
            Tests(&["side_by_side/next_steps::a_spec_that_cannot_be_served_is_served_with_the_field_of_its_message"])
        }
        Reason::TooCostly => Tests(&[
            "side_by_side/next_steps::a_service_with_too_many_addresses_is_replaced_by_a_smaller_one_as_its_message_says",
        ]),
        Reason::SourceNotFound | Reason::TargetNotFound | Reason::NoTarget => {
            Tests(&["side_by_side/next_steps::what_a_link_lacks_is_created_as_its_messages_say"])
        }
        Reason::NoReadyEndpoints => Tests(&[
            "side_by_side/next_steps::what_a_link_lacks_is_created_as_its_messages_say",
            "side_by_side/next_steps::the_command_of_the_message_shows_which_pod_is_not_ready",
        ]),
        Reason::NameTaken | Reason::Pending => {
            Tests(&["side_by_side/next_steps::an_object_that_is_in_the_way_goes_with_the_command_of_the_message"])
        }
        Reason::FinalizersRemain => Tests(&[
            "side_by_side/repair_fields::a_link_that_the_finalizer_of_another_client_keeps_says_error_and_which",
        ]),
        Reason::DNSOnly | Reason::TargetNotIsolated => Tests(&[
            "side_by_side/next_steps_policies::a_link_without_a_policy_is_enforced_after_the_two_steps_of_its_messages",
        ]),
        Reason::SourceNotIsolated => Tests(&[
            "side_by_side/next_steps_policies::a_source_of_which_only_some_pods_are_isolated_is_enforced_when_the_policy_selects_all",
        ]),
        Reason::SelectsOtherPods => Tests(&[
            "side_by_side/next_steps_policies::a_pod_with_the_labels_of_the_target_gets_others_with_the_command_of_the_message",
        ]),
        Reason::RefNotPermitted => Tests(&[
            "side_by_side/next_steps_admin::the_administrator_of_the_target_consents_first_to_the_link_and_then_to_its_policy",
            "side_by_side/consent::without_a_grant_a_link_is_held_and_its_message_is_the_manifest_that_lifts_the_hold",
            "side_by_side/tenants_grants::a_grant_with_ports_permits_only_links_that_name_these_ports",
        ]),
        Reason::InvalidEntries => Tests(&[
            "serial/stored_grants::a_stored_grant_with_an_invalid_selector_consents_to_nothing_and_says_so_after_a_restart",
        ]),
        Reason::Forbidden => Tests(&[
            "serial/rights::a_link_whose_objects_may_not_be_created_goes_on_with_the_manifest_of_its_message",
            "side_by_side/binding::a_binding_waits_for_its_overlay_and_goes_on_by_itself",
            "side_by_side/next_steps_admin::the_administrator_of_the_target_consents_first_to_the_link_and_then_to_its_policy",
        ]),
        Reason::KindNotSupported => Tests(&[
            "side_by_side/next_steps::a_spec_that_cannot_be_served_is_served_with_the_field_of_its_message",
            "serial/crds/scaled_kinds::a_kind_that_may_not_be_read_names_the_missing_role_and_heals_with_it",
            EXTERNAL_NAMES,
        ]),
        Reason::NameNotResolved => Tests(&[EXTERNAL_NAMES]),
        Reason::InvalidSecretRef => {
            Tests(&["side_by_side/binding::bindings_that_refer_to_each_other_are_reported_and_keep_no_old_password"])
        }
        Reason::TooLarge => Tests(&[
            "side_by_side/tenants_costly::a_link_whose_variables_do_not_fit_is_active_without_them_and_says_so",
        ]),
        Reason::Unusable => Tests(&[
            "side_by_side/tenants_costly::a_link_to_an_object_that_is_too_large_says_which_field_is_and_those_of_others_go_on",
        ]),
        Reason::QuotaExceeded => Tests(&[
            "side_by_side/refused_children::a_link_that_a_quota_refuses_quotes_it_and_goes_on_soon_after_it_is_raised",
        ]),
        Reason::AdmissionDenied => Tests(&[
            "side_by_side/refused_children::a_policy_is_named_whatever_its_code_and_the_link_goes_on_when_it_is_changed",
            "side_by_side/infrastructure::a_link_that_a_policy_refuses_for_a_missing_label_goes_on_with_the_label",
        ]),
        Reason::AdmissionFailed => Tests(&[
            "side_by_side/next_steps_admin::the_command_of_the_message_shows_the_webhook_that_does_not_work_and_the_link_goes_on_without_it",
        ]),
        Reason::AlteredByOthers => Tests(&[
            "side_by_side/altered::a_policy_that_rewrites_managed_by_is_named_and_the_link_heals_without_it",
            "side_by_side/altered::a_client_that_edits_an_object_again_and_again_is_named",
        ]),
        Reason::NoPorts => Tests(&[
            "side_by_side/silence::a_target_that_declares_no_ports_is_named_and_the_message_says_what_to_write",
        ]),
        Reason::EntriesBypassAlias => Tests(&[
            "side_by_side/silence::the_entries_of_a_database_operator_lead_to_the_alias_and_what_cannot_is_named",
        ]),
        Reason::OlderLinkDecides => Tests(&[
            "side_by_side/infrastructure::objects_that_links_share_have_the_labels_of_all_of_them_and_a_link_that_is_cut_takes_its_own_along",
        ]),
        Reason::PodsRemain => Tests(&[
            "side_by_side/last_words::a_stateful_set_that_is_deleted_without_its_pods_and_applied_again_finds_its_link_active",
        ]),
        Reason::EndpointsMirrored | Reason::OtherAddresses => {
            Tests(&["side_by_side/dataplane_verify::endpoints_that_kubernetes_mirrors_into_the_directory_are_named"])
        }
        Reason::ServiceComesFirst => {
            Tests(&["side_by_side/dataplane_verify::a_service_called_like_the_alias_is_named_as_long_as_it_is_there"])
        }
        Reason::ServiceStepsIn => {
            Tests(&["side_by_side/dataplane_verify::a_service_that_would_answer_after_a_cut_is_reported_before_it"])
        }
        Reason::NamespaceEndsSearch => {
            Tests(&["side_by_side/dataplane_verify::a_namespace_called_like_the_alias_hides_the_plain_name_from_musl"])
        }
        Reason::WriteFailed => Outside("the message is to be reported: the operator knows no cause of it"),
        Reason::NameNotFound | Reason::AddressesMissing | Reason::NoAnswer => {
            Outside("the DNS of the cluster is to be repaired, and without it no other test runs")
        }
        Reason::WrongClusterDomain => {
            Outside("the operator is to be started with the flag of the message; unit tests of core check the flag")
        }
        Reason::NotActive => Nothing("a user cut the link, or another condition says why it is not active"),
        Reason::Transitioning => Nothing("the operator goes on by itself"),
        Reason::Held | Reason::Stalled => Nothing("another condition has the cause with the same message"),
        Reason::Accepted
        | Reason::Resolved
        | Reason::Programmed
        | Reason::EndpointsReady
        | Reason::Ready
        | Reason::TargetIsolated
        | Reason::SourceIsolated
        | Reason::Resolves => Nothing("it says that all is well"),
    }
}

const EXTERNAL_NAMES: &str = "serial/external_names::an_allowed_name_is_followed_and_kept_while_the_dns_fails_and_no_request_fails_on_the_way_there_and_back";

#[test]
fn each_reason_that_asks_for_something_has_a_test_that_does_it() {
    for reason in Reason::ALL {
        let name = reason.as_str();
        match next(*reason) {
            Tests(tests) => {
                let mut waits_for_it = false;
                for named in tests {
                    let (file, test) = named.split_once("::").unwrap();
                    let file = text(&format!("tests/e2e/tests/{file}.rs"));
                    assert!(is_a_test(&file, test), "{name}: no test {named}");
                    waits_for_it |= file.contains(&format!("\"{name}"));
                }
                assert!(waits_for_it, "{name}: its tests do not wait for it");
            }
            Nothing(why) | Outside(why) => assert!(why.len() > 10, "{name}: {why}"),
        }
    }
}

#[test]
fn what_waits_for_a_person_has_a_next_step() {
    for reason in Reason::ALL.iter().filter(|reason| reason.waits_for_a_person()) {
        assert!(matches!(next(*reason), Tests(_)), "{}", reason.as_str());
    }
}
