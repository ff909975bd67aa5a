{#- Generic test: the text has no white space around it and is not empty (NULL passes). -#}
{% test trimmed(model, column_name) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} <> btrim({{ column_name }}, E' \t\r\n') or {{ column_name }} = ''
{% endtest %}
