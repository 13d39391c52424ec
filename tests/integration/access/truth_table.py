"""The truth about access, written by hand: which role opens which address, and which field of a customer a role reads.

Roles: A agent, M marketer, S steward, C compliance, N analyst, D administrator. An address that is in no row fails the
test: whoever adds one decides here who may open it.
"""

from typing import Final

ROLES: Final = {"A": "agent", "M": "marketer", "S": "steward", "C": "compliance", "N": "analyst", "D": "admin"}
PUBLIC, EVERYBODY = "public", "everybody"  # without a login; with any role, or none

TABLE: Final[dict[str, str]] = {
    "A": """
        profiles:opening profiles:reveal
    """,
    "AC": """
        consent:answer segments:withdraw consent:preference_link
    """,
    "AMSC": """
        profiles:occasion profiles:customers profiles:search profiles:suggest profiles:recent
        profiles:arrangement profiles:reset_arrangement profiles:fold_panel profiles:move_panel
        profiles:customer profiles:timeline profiles:year profiles:records profiles:notes profiles:attributes
        profiles:presence profiles:look profiles:cases profiles:open_case profiles:case profiles:note_case
        profiles:take_case profiles:hand_over_case profiles:close_case profiles:reopen_case
        profiles:follow_ups profiles:follow_ups_due profiles:explanation profiles:household
        profiles:api_profile profiles:api_lookup profiles:api_explanation consent:panel consent:chips consent:cell
        segments:of_profile segments:computed_of_profile
        segments:script_of_profile segments:script_why segments:sent segments:explain segments:explain_all
    """,
    "AMSN": """
        profiles:products profiles:words
    """,
    "AS": """
        profiles:pop profiles:call profiles:choose_caller profiles:check_caller profiles:create_customer
        profiles:end_call profiles:strip profiles:add_note profiles:keep_draft profiles:add_trait
        profiles:edit_trait profiles:foresee_edit profiles:undo_edit profiles:pin profiles:unpin
        profiles:question profiles:answer profiles:unanswer
    """,
    "C": """
        consent:purposes consent:purpose consent:purpose_terms consent:publish_notice
        consent:delegates consent:dismiss_delegate consent:settle_message consent:name_person consent:send_code
        consent:prove consent:see consent:say_changes consent:extend consent:close consent:lift consent:letter
        consent:access_log consent:requests consent:due consent:intake consent:find consent:close_forwarded
        consent:retention consent:retention_save consent:retention_try consent:retention_remove
        consent:breaches consent:breach_new consent:breach consent:breach_judge consent:breach_done
        consent:breach_people consent:breach_pdf consent:breach_json
        consent:request consent:approve consent:refuse consent:retry consent:certificate
        consent:certificate_page consent:certificate_paper consent:certificate_key
        consent:package consent:package_link consent:package_remove
        consent:holds consent:customer_holds consent:release_hold consent:hold_copy
    """,
    "CD": """
        backups
        profiles:access profiles:access_reading machine_keys profiles:view_as consent:audit consent:check_audit
        consent:alarms consent:alarm_count consent:audit_export consent:audit_anchors
        consent:data_map consent:data_map_file
    """,
    "D": """
        consent:gateways consent:test_gateway
        profiles:access_change new_machine_key rotate_machine_key revoke_machine_key make_backup
    """,
    "M": """
        segments:move_script segments:script segments:members segments:export segments:export_preview
        segments:sample
        segments:explain_somebody segments:new_list segments:change_list
        segments:export_start segments:export_file segments:export_remove segments:api_members
    """,
    "MN": """
        segments:segments segments:recent segments:create segments:draft segments:summary segments:values
        segments:open_draft segments:discard_draft segments:exact segments:reach
        segments:scripts segments:segment segments:size segments:change segments:delete
        segments:folders segments:rename_folder segments:delete_folder segments:arrange segments:archive
        segments:lists segments:list segments:rename_list segments:delete_list
        segments:bring_back segments:overlap segments:versions segments:version_diff segments:version_effect
        segments:restore_version segments:history
        segments:traits segments:create_trait segments:trait_draft segments:trait_summary segments:trait
        segments:trait_values segments:change_trait segments:archive_trait segments:restore_trait
        segments:api_segments
        segments:exports segments:exported segments:export_progress segments:export_result
    """,
    "MS": """
        profiles:new_word profiles:edit_word profiles:remove_word
    """,
    "MSCND": """
        ingestion:sources ingestion:source ingestion:alerts ingestion:source_rates ingestion:plan
        ingestion:plan_event ingestion:plan_diff ingestion:quarantine ingestion:look_into ingestion:rules
        ingestion:replays ingestion:quarantine_group profiles:found
    """,
    "S": """
        ingestion:imports ingestion:new_import ingestion:mappings ingestion:mapping ingestion:import
        ingestion:import_mapping ingestion:import_format ingestion:import_start ingestion:try_import
        ingestion:import_trial ingestion:broken_rows ingestion:import_progress ingestion:import_cancel
        ingestion:discard ingestion:discard_group profiles:verify profiles:unverify profiles:merge_choose
        profiles:merge profiles:unmerge profiles:api_merge profiles:api_preview_merge profiles:api_unmerge
        profiles:api_preview_unmerge profiles:api_revert profiles:found_by_import profiles:revert
        profiles:matching profiles:review profiles:review_count profiles:review_undo profiles:review_decide
        profiles:review_undo_pair profiles:review_effects profiles:review_many profiles:review_undo_many
        profiles:review_change profiles:review_take_back profiles:match_models profiles:match_train
        profiles:match_ask profiles:match_model profiles:match_thresholds profiles:match_activate
        profiles:match_retire profiles:match_rollback profiles:match_go_on profiles:data_quality
        profiles:quality_look profiles:quality_key profiles:quality_cases profiles:match_runs
        profiles:match_start profiles:match_run profiles:match_progress profiles:match_cancel
        profiles:match_foreseen profiles:match_changes
    """,
    "SD": """
        ingestion:new_source ingestion:alerts_on_home ingestion:alert_count ingestion:acknowledge_alert
        ingestion:alert_recipients ingestion:test_alert_recipient ingestion:remove_alert_recipient
        ingestion:retention ingestion:try_retention ingestion:source_watch ingestion:source_retention
        ingestion:try_source_retention ingestion:edit_source ingestion:source_doors ingestion:webhooks
        ingestion:new_webhook ingestion:webhook ingestion:rotate_webhook ingestion:switch_webhook
        ingestion:keys ingestion:revoke_key ingestion:connections ingestion:new_pull ingestion:test_new_pull
        ingestion:pull ingestion:test_pull ingestion:run_pull ingestion:new_folder ingestion:folder
        ingestion:import_revert ingestion:plan_pin ingestion:plan_unpin ingestion:rule ingestion:switch_rule
        ingestion:move_rule ingestion:undo_replay ingestion:new_rule ingestion:replay
    """,
    "everybody": """
        home login_again account mfa_index account_password account_elsewhere mfa_activate_totp
        mfa_add_webauthn account_remove_factor mfa_view_recovery_codes mfa_generate_recovery_codes
        mfa_deactivate_totp style palette profiles:stop_viewing
    """,
    "public": """
        consent:prove_public
        login account_login mfa_authenticate mfa_login_webauthn login_company openid_connect_callback logout
        forgotten new_password
        set_language set_display healthz schema ingestion:snippet ingestion:tracking_batch
        ingestion:tracking_import ingestion:tracking_call ingestion:line_link_nonce ingestion:receive_webhook
        profiles:api_calls consent:copy
        consent:ask_preference_link consent:preferences consent:choose_preference consent:privacy_request
    """,
}
# Everything below /admin/ is one row: the site has one gate.
ADMIN: Final = "D"

# Field of a customer → whose eyes read it: role and department, "*" any. Everything else has to be absent, from every
# address, in every form. Nobody reads what stands for no eyes.
FIELDS: Final[dict[str, frozenset[str]]] = {
    # Direct identifiers of a customer who is not open.
    "phone": frozenset({"S", "C"}),
    "email": frozenset({"S", "C"}),
    "birth_date": frozenset({"S", "C"}),
    "address": frozenset({"S", "C"}),
    "line_id": frozenset({"S", "C"}),
    "member_id": frozenset({"S", "C"}),
    "phone in a note": frozenset({"S", "C"}),
    "email in a touchpoint": frozenset({"S", "C"}),
    # What marketing owns and customer care does not see.
    "trait of a source of marketing": frozenset({"M", "N", "S", "C", "D"}),
    "touchpoint of a source of marketing": frozenset({"M", "N", "S", "C", "D"}),
    "order of a source of marketing": frozenset({"M", "N", "S", "C", "D"}),
    "trait of a group of marketing": frozenset({"M", "N", "S", "C", "D"}),
    "touchpoint of a type of marketing": frozenset({"M", "N", "S", "C", "D"}),
    "note of marketing": frozenset({"M", "S", "C"}),
    # What customer care owns and marketing does not see.
    "touchpoint of a source of care": frozenset({"A", "S", "C", "D"}),
    "note of care": frozenset({"A", "S", "C"}),
    # Nobody was granted it.
    "sensitive trait": frozenset(),
    "sensitive trait that a source has just invented": frozenset(),
    "sensitive property of a touchpoint": frozenset(),
}
