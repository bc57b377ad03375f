from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "backend.cases"
    verbose_name = "Casos"
