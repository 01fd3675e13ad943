output "service_id" {
  value       = fastly_service_vcl.origin.id
  description = "The service."
}

output "dictionary_id" {
  value       = one(fastly_service_vcl.origin.dictionary).dictionary_id
  description = "The dictionary whose item \"secret\" is to be set."
}
