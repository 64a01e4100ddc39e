"""What KubeSpawner can be told, and so what `kubespawner_override` of a profile may hold.

Source: `KubeSpawner.class_traits(config=True)` of kubespawner 7.0, which the hub's image has (`qhub` itself has none).
"""

from __future__ import annotations

_NAMES = """
    additional_profile_form_template_paths after_pod_created_hook allow_privilege_escalation apply_user_options args
    auth_state_hook automount_service_account_token cmd common_labels component_label consecutive_failure_limit
    container_security_context cpu_guarantee cpu_limit debug default_url delete_grace_period delete_pvc
    delete_stopped_pods disable_user_config dns_name_template enable_user_namespaces env_keep environment
    events_enabled extra_annotations extra_container_config extra_containers extra_labels extra_pod_config
    extra_resource_guarantees extra_resource_limits fs_gid get_pod_url gid group_overrides handle_legacy_names
    http_timeout hub_connect_ip hub_connect_port hub_connect_url image image_pull_policy image_pull_secrets
    init_containers ip k8s_api_host k8s_api_request_retry_timeout k8s_api_request_timeout k8s_api_ssl_ca_cert
    k8s_api_threadpool_workers k8s_api_verify_ssl lifecycle_hooks mem_guarantee mem_limit modify_pod_hook namespace
    node_affinity_preferred node_affinity_required node_selector notebook_dir oauth_client_allowed_scopes
    oauth_roles options_form options_from_form pod_affinity_preferred pod_affinity_required
    pod_anti_affinity_preferred pod_anti_affinity_required pod_connect_ip pod_name_template pod_security_context
    poll_interval poll_jitter port post_stop_hook pre_spawn_hook priority_class_name privileged
    profile_form_template profile_list progress_ready_hook pvc_name_template remember_pvc_name scheduler_name
    secret_mount_path secret_name_template server_token_scopes service_account services_enabled slug_scheme
    ssl_alt_names ssl_alt_names_include_local start_timeout storage_access_modes storage_capacity storage_class
    storage_extra_annotations storage_extra_labels storage_pvc_ensure storage_selector supplemental_gids tolerations
    uid user_namespace_annotations user_namespace_labels user_namespace_template volume_mounts volumes working_dir
"""
TRAITS = frozenset(_NAMES.split())
