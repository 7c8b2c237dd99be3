"""Spanish: code to (fact, cause, fix, fix where a fact is missing)."""

from clavero.domain.catalogue_en import Words

_OWNER = "Consulta a {owner}", "Consulta a la persona responsable de la clave"
_LATER = "Reintenta en {retry_after} s", "Reintenta más tarde"

SPANISH: dict[str, Words] = {
    # --- quién llama
    "missing_api_key": (
        "No se envió ninguna clave",
        "La solicitud no trae ningún encabezado con clave.",
        "Envía el encabezado Authorization: Bearer CLAVE",
    ),
    "malformed_api_key": (
        "La clave está incompleta o alterada",
        "La suma de control del final no coincide. Se perdió o cambió un carácter.",
        "Copia la clave entera, desde clv hasta el último carácter",
    ),
    "invalid_api_key": (
        "Clave {kid} desconocida",
        "La forma es correcta. Esta pasarela no la emitió, o la clave fue retirada.",
        "Comprueba qué pasarela la emitió y la dirección del cliente",
    ),
    "provider_key_sent": (
        "Es una clave del proveedor",
        "Tiene la forma de una clave del proveedor. Los clientes usan claves virtuales.",
        "Envía una clave virtual; rota la del proveedor si otros pueden leer esta solicitud",
    ),
    "key_expired": ("La clave venció el {date}", "Pasó la fecha de vencimiento de la clave.", *_OWNER),
    "key_disabled": (
        "La clave está desactivada",
        "Su responsable o un administrador la detuvo. Se puede activar de nuevo.",
        *_OWNER,
    ),
    "key_revoked": (
        "La clave está revocada",
        "La clave terminó para siempre, a menudo tras una filtración.",
        "Pide una clave nueva a {owner}",
        "Pide una clave nueva a la persona responsable",
    ),
    "key_rotated": (
        "La versión {n} ya no es válida",
        "La clave se rotó y su período de gracia terminó.",
        "Usa la versión {k}",
        "Usa la versión actual de la clave",
    ),
    "key_pending": (
        "La clave aún no está activa",
        "La clave se creó para empezar más tarde.",
        "Espera hasta entonces, o pide a un administrador que la active",
    ),
    "ip_not_allowed": (
        "{ip} no está permitida",
        "La clave solo funciona desde las direcciones de su lista.",
        "Usa una dirección de la lista, o pide agregar esta a {owner}",
        "Llama desde una dirección de la lista",
    ),
    # --- qué se pide
    "model_not_allowed": (
        "La clave no permite {model}",
        "El alcance de la clave no incluye este modelo.",
        "Usa {list}",
        "Pide a la persona responsable que agregue el modelo",
    ),
    "endpoint_not_allowed": (
        "La clave no permite {endpoint}",
        "El alcance de la clave no incluye este endpoint.",
        "Usa {list}",
        "Pide a la persona responsable que agregue el endpoint",
    ),
    "feature_not_declared": (
        "La clave no declara la función {feature}",
        "Las funciones se declaran en la clave, para distinguir su costo.",
        "Usa {list}, o declara la función en la clave",
        "Declara la función en la clave",
    ),
    "model_not_found": (
        "No existe el modelo {model}",
        "Ninguna ruta ni proveedor configurado tiene un modelo con ese nombre.",
        "Prueba {guess}",
        "Lista los modelos con GET /v1/models",
    ),
    "endpoint_not_found": (
        "No hay nada en {method} {path}",
        "La ruta está mal escrita, o esta pasarela no la sirve.",
        "Revisa la URL base: termina en /v1 con clientes de OpenAI, antes con los de Anthropic",
    ),
    "method_not_allowed": (
        "{path} acepta {allowed}, no {method}",
        "La ruta existe, para otro método.",
        "Usa {allowed}",
        "Usa el método que acepta",
    ),
    "malformed_json": (
        "JSON no válido en la línea {line}, columna {column}: {what}",
        "El cuerpo no es JSON según RFC 8259.",
        "Corrige el cuerpo en ese lugar",
    ),
    "invalid_parameter": (
        "{name} debe ser {rule}",
        "El valor no cumple la regla del parámetro.",
        "Cambia {name}",
    ),
    "missing_header": (
        "Falta el encabezado {name}",
        "El endpoint necesita este encabezado.",
        "Envía {example}",
        "Envía el encabezado",
    ),
    "invalid_header": (
        "El encabezado {name} debe ser {rule}",
        "El valor no cumple la regla del encabezado.",
        "Cambia el encabezado {name}",
    ),
    "malformed_request": (
        "La solicitud HTTP no es válida: {what}",
        "Los bytes no cumplen HTTP/1.1, o una regla contra solicitudes ocultas.",
        "Envía la solicitud con un cliente HTTP estándar",
    ),
    "head_too_large": (
        "La cabecera supera {max}",
        "Ruta y encabezados tienen un tope fijo.",
        "Envía menos encabezados, o más cortos",
    ),
    "body_too_large": (
        "El cuerpo supera {max}",
        "El cuerpo pasa el tope de la pasarela.",
        "Envía menos, o sube gateway.body_bytes en la configuración",
    ),
    "request_timeout": (
        "La solicitud dejó de llegar ({part})",
        "La conexión es lenta, o el cliente se detuvo a la mitad.",
        "Envía la solicitud otra vez",
    ),
    "expectation_failed": (
        "No se puede cumplir Expect {value}",
        "La pasarela solo conoce 100-continue.",
        "Envía la solicitud sin Expect",
    ),
    "unsupported_media_type": (
        "No se admite el tipo de contenido {value}",
        "El endpoint lee JSON.",
        "Envía Content-Type: application/json",
    ),
    "tls_required": (
        "Este puerto solo habla TLS",
        "La solicitud llegó sin cifrar. Quizá un proxy omitió X-Forwarded-Proto.",
        "Usa https:// en la dirección; un proxy debe enviar X-Forwarded-Proto",
    ),
    "format_not_served": (
        "{provider} no sirve {endpoint} para {model}",
        "El proveedor de este modelo no tiene ese endpoint.",
        "Usa otro endpoint para {model}, u otro modelo",
    ),
    # --- dinero
    "insufficient_quota": (
        "Saldo de {budget}: {left}; esta llamada puede costar {worst}",
        "Un presupuesto de la clave está gastado o reservado. Cada llamada reserva su peor caso.",
        "Baja max_tokens, o espera hasta {resets_at}",
        "Baja max_tokens, o pide un presupuesto mayor",
    ),
    "request_over_ceiling": (
        "Esta llamada puede costar {worst}; el tope es {ceiling}",
        "La clave tiene un tope por solicitud.",
        "Baja max_tokens o envía menos",
    ),
    "unpriced_model": (
        "{model} no tiene precio",
        "Con presupuesto, solo se llaman modelos de precio conocido.",
        "Pide a un administrador que fije su precio",
    ),
    "unbounded_input": (
        "El costo de {what} no se puede acotar antes de la llamada",
        "Un presupuesto reserva primero el peor caso. Esta parte no tiene máximo conocido.",
        "Envíalo dentro del mensaje, o quítalo",
    ),
    "budget_busy": (
        "El presupuesto {budget} está ocupado en otro lugar",
        "Otros procesos tienen el resto. Nadie probó que esté gastado.",
        *_LATER,
    ),
    "ledger_unavailable": (
        "No se puede registrar el gasto",
        "La base de datos no responde. Se agotó el saldo apartado aquí.",
        *_LATER,
    ),
    "storage_full": (
        "El disco de la pasarela está lleno",
        "Ninguna llamada sale antes de guardar su reserva en disco.",
        "Libera espacio en el directorio de datos y reintenta",
    ),
    # --- el proveedor
    "context_length_exceeded": (
        "{n} tokens; {model} admite {max}",
        "El prompt y la respuesta deben caber en el contexto del modelo.",
        "Envía menos, o usa un modelo con más contexto",
    ),
    "content_filter": (
        "{provider} rechazó el contenido",
        "El proveedor evaluó el prompt o la respuesta según su política.",
        "Cambia el contenido",
    ),
    "upstream_refused": (
        "{provider} rechazó la solicitud: {what}",
        "Para el proveedor la solicitud no es válida. Reintentar da lo mismo.",
        "Corrige la solicitud",
    ),
    "upstream_auth_failed": (
        "{provider} rechazó nuestra clave",
        "El proveedor no acepta la credencial de la bóveda. La clave de quien llama está bien.",
        "Pide a un administrador que ejecute clavero credential test {provider}",
        "Pide a un administrador que pruebe la credencial",
    ),
    "upstream_rate_limited": (
        "{provider} no admite más llamadas ahora",
        "La cuenta del proveedor llegó a su propio límite.",
        *_LATER,
    ),
    "upstream_error": ("{provider} falló {n} veces", "Cada intento encontró un fallo del proveedor.", *_LATER),
    "upstream_proxy_failed": (
        "El proxy de salida hacia {provider} falló: {what}",
        "Las llamadas salen por HTTPS_PROXY. Las rechazó, o no responde; no se llegó al proveedor.",
        "Pide al operador que revise HTTPS_PROXY, su contraseña y sus reglas",
    ),
    "upstream_timeout": (
        "{provider} no respondió en {seconds} s",
        "El proveedor no envió nada en el plazo: tiempo agotado.",
        "Reintenta, o usa otro modelo",
    ),
    "stream_interrupted": (
        "{provider} cortó el flujo; el texto está incompleto",
        "La conexión con el proveedor terminó antes que su respuesta.",
        "Descarta el texto y reintenta",
    ),
    "no_credential": (
        "{provider} no tiene ninguna credencial utilizable",
        "La bóveda no tiene ninguna para este proveedor, o todas están desactivadas.",
        "Pide a un administrador que ejecute clavero credential add {provider}",
        "Pide a un administrador que agregue una credencial",
    ),
    # --- ritmo y la propia pasarela
    "rate_limit_exceeded": (
        "Límite de frecuencia: {n} {unit} por minuto",
        "La clave usó sus llamadas o tokens de este minuto.",
        *_LATER,
    ),
    "concurrency_exceeded": (
        "Hay {n} llamadas abiertas",
        "La clave tiene abiertas todas las llamadas que puede.",
        "Espera a que termine una y reintenta",
    ),
    "overloaded": ("La pasarela está saturada", "Llegan más llamadas de las que puede atender ahora.", *_LATER),
    "draining": ("La pasarela se está deteniendo", "Termina las llamadas abiertas y no acepta nuevas.", *_LATER),
    "internal_error": (
        "clavero falló",
        "La pasarela llegó a un estado que no debería existir.",
        "Avisa a quien opera la pasarela e indica {request_id}",
    ),
    # --- el plano de control
    "refusal": (
        "El cambio fue rechazado",
        "Una regla del plano de control lo prohíbe.",
        "Lee el mensaje que lo acompaña",
    ),
    "conflict": (
        "Otra persona cambió el objeto mientras tanto",
        "Dos cambios coincidieron. Vale el primero.",
        "Mira el objeto y cámbialo otra vez",
    ),
    "record_deleted": (
        "El registro está borrado",
        "Los registros se guardan retention.records_days; las sumas por hora y día se guardan más tiempo.",
        "clavero usage tiene las sumas. Un retention.records_days mayor guarda los registros más tiempo desde ahora",
    ),
    "already_exists": (
        "El nombre ya está en uso",
        "Los nombres son únicos dentro de su tipo.",
        "Usa otro nombre, o cambia el objeto que lo tiene",
    ),
    "state_forbids": (
        "El estado del objeto no permite esto",
        "Los estados cambian por pasos fijos. Revocada es para siempre.",
        "Mira primero el objeto: clavero NOUN show NAME",
    ),
    "in_use": (
        "Otra cosa necesita el objeto",
        "Eliminarlo rompería lo que lo usa.",
        "Cambia primero lo que lo usa; el mensaje lo nombra",
    ),
    "owner_unknown": (
        "No existe ese miembro para responder de una clave",
        "Toda clave tiene un responsable que es miembro. Solo el primero se crea con la primera clave.",
        "Añádelo: clavero member add NAME",
    ),
    "owner_left": (
        "El responsable se ha ido",
        "Quien se fue no responde de claves que empiezan o vuelven.",
        "Da la clave a un miembro presente: clavero member list",
    ),
    "tier_forbids": (
        "El nivel de riesgo del entorno no permite esa clave",
        "Los entornos críticos piden un fin, rotación y un contacto.",
        "Haz lo que indica el mensaje, o mira clavero env drift",
    ),
    "environment_frozen": (
        "El entorno está congelado",
        "Hay una ventana sin cambios; revocar nunca se rechaza.",
        "Espera, o añade --override --reason POR_QUÉ",
    ),
    "change_not_recorded": (
        "El cambio no se pudo registrar",
        "Nada cambia sin su fila de auditoría.",
        "Revisa la base de datos con clavero doctor",
    ),
    "storage_unavailable": (
        "La base de datos no admite cambios",
        "Está detenida o llena. Nada cambió.",
        "Libera espacio o restáurala, y repite",
    ),
    "not_found": (
        "No existe ese objeto",
        "El nombre está mal escrito, o el objeto se eliminó.",
        "Lista lo que hay: clavero NOUN list",
    ),
    "invalid_value": (
        "Un valor no cumple su regla",
        "Cada campo tiene una regla; el mensaje nombra ambos.",
        "Usa el valor sugerido",
    ),
    "forbidden": (
        "El rol no permite esto",
        "Cada operación nombra el permiso que necesita.",
        "Pide el permiso a una persona con rol owner",
    ),
    "not_signed_in": (
        "No hay ninguna sesión iniciada",
        "La sesión terminó, o el token falta o no se conoce.",
        "Inicia sesión de nuevo: clavero open",
    ),
    # --- el arranque
    "port_in_use": (
        "El puerto está en uso",
        "Otro programa escucha allí.",
        "Usa otro puerto; 0 toma cualquiera libre",
    ),
    "port_forbidden": (
        "No se permite usar el puerto",
        "Los puertos por debajo de 1024 requieren un permiso.",
        "Usa un puerto desde 1024, o concede CAP_NET_BIND_SERVICE",
    ),
    "address_not_here": (
        "La dirección no es de esta máquina",
        "Ninguna interfaz de aquí tiene la dirección que se indicó.",
        "Usa 127.0.0.1, 0.0.0.0, o una dirección que muestre ip addr",
    ),
    "exposed_in_the_clear": (
        "Otras máquinas llegarían al puerto sin TLS",
        "Las claves y los tokens viajarían sin cifrar.",
        "Indica --tls-cert y --tls-key, o --behind-proxy CIDR",
    ),
    "tls_incomplete": (
        "Falta el certificado o su clave",
        "TLS necesita los dos archivos.",
        "Indica --tls-cert FILE y --tls-key FILE",
    ),
    "tls_file_unreadable": (
        "No se puede leer un archivo del certificado",
        "No existe, o está cerrado para el usuario que ejecuta clavero.",
        "Revisa ruta, dueño y permisos del archivo",
    ),
    "tls_unusable": (
        "El certificado no se puede servir",
        "Un archivo no es PEM. O el par es débil, o su plazo pasó.",
        "Renueva el par; openssl x509 -noout -text -in FILE muestra qué es",
    ),
    "tls_key_open": (
        "La clave privada está abierta a todos los usuarios de la máquina",
        "Quien la lee puede hacerse pasar por este servidor.",
        "chmod o= FILE",
    ),
    "tls_key_encrypted": (
        "La clave privada pide una contraseña",
        "Nadie está allí para escribirla cuando arranca el servicio.",
        "Guárdala sin contraseña y cerrada a los demás: openssl pkey -in FILE -out FILE",
    ),
    "tls_key_mismatch": (
        "La clave privada es de otro certificado",
        "Los archivos no se emitieron juntos. O la cadena empieza con otro certificado.",
        "Indica los archivos emitidos juntos, con el certificado del servidor primero",
    ),
    "already_running": (
        "clavero ya se ejecuta en este directorio de datos",
        "Un directorio de datos admite un solo supervisor.",
        "Usa el que está en marcha, o detenlo primero",
    ),
    "wrong_root_key": (
        "La bóveda se selló con otra clave raíz",
        "seal/root.key se reemplazó, o la base de datos viene de otro lugar.",
        "Restaura la clave raíz que nombra el mensaje. Nada cambió",
    ),
    "seal_exists": (
        "Ya existe una clave raíz",
        "Otro arranque la creó en el mismo momento.",
        "Inicia clavero otra vez",
    ),
    "seal_missing": (
        "Falta la clave raíz",
        "seal/root.key se movió o eliminó. Sin ella la bóveda sigue cerrada.",
        "Restáurala desde tu copia de seguridad",
    ),
    "seal_elsewhere": (
        "La clave raíz del plano de control no está en esta máquina",
        "Las dos máquinas abren la misma bóveda, con la misma clave raíz.",
        "Copia allí seal/root.key, solo para su propietario",
    ),
    "needs_server": (
        "Dos máquinas necesitan PostgreSQL",
        "SQLite es un archivo, y un archivo significa una sola máquina.",
        "Define DATABASE_URL con el PostgreSQL que usa el plano de control",
    ),
    "control_plane_unseen": (
        "Ningún plano de control ha creado esta base de datos",
        "DATABASE_URL lleva a otro lugar, o el plano de control nunca arrancó.",
        "Inicia primero la máquina del plano de control, con el mismo DATABASE_URL",
    ),
    "seal_unusable": (
        "La clave raíz no se puede leer o escribir",
        "No es un archivo normal, o los permisos lo impiden.",
        "Cambia su propietario, o pon allí la clave como archivo",
    ),
    "seal_owner": (
        "La clave raíz pertenece a otra persona",
        "clavero solo usa una clave raíz propia.",
        "Cambia su propietario, o ejecuta clavero con ese usuario",
    ),
    "seal_permissions": (
        "Otros pueden leer la clave raíz",
        "Los permisos de seal/root.key son más amplios que 0600.",
        "Redúcelos: chmod 600 seal/root.key",
    ),
    "seal_malformed": (
        "El archivo no contiene una clave raíz",
        "Se cortó, se editó o se reemplazó por otra cosa.",
        "Restáurala desde tu copia de seguridad",
    ),
    "passphrase_needed": (
        "Falta la frase de paso que sella la bóveda",
        "clavero se inició sin terminal, como hace un gestor de servicios.",
        "Usa --passphrase-file ARCHIVO o una credencial de systemd",
    ),
    "wrong_passphrase": (
        "La frase de paso no abre la clave raíz",
        "Se escribió mal, es una anterior, o se alteró seal/root.key.",
        "Da la frase con la que se selló; nada más la abre. Nada cambió",
    ),
    "passphrase_weak": (
        "La frase de paso es demasiado corta",
        "Quien tenga el archivo puede probar frases sin prisa.",
        "Elige varias palabras que nadie juntaría",
    ),
    "passphrase_differs": (
        "Las dos frases de paso no coinciden",
        "Una de ellas se escribió mal.",
        "Repite el comando. Nada cambió",
    ),
    "passphrase_file": (
        "El archivo de la frase de paso no sirve",
        "Falta, está abierto a otros, o tiene más de una línea.",
        "Pon la frase en una línea de un archivo con permisos 0600",
    ),
    "passphrase_unused": (
        "Hay una frase de paso, y el sello es un archivo simple",
        "Quien lea ese archivo tiene la clave raíz.",
        "Séllala: clavero vault seal passphrase. O quita el ajuste",
    ),
    "vault_closed": (
        "Las claves de la bóveda no se abren",
        "Algo de la bóveda o su clave raíz cambió en marcha.",
        "Mira clavero vault status. Reinicia con la clave raíz correcta",
    ),
    "rekey_runs": (
        "La bóveda ya está pasando a otras claves nuevas",
        "Un cambio a la vez: cada uno se retoma hasta terminar.",
        "Espera a que acabe: clavero vault status",
    ),
    "others_need_root_key": (
        "Otra máquina trabaja con la clave raíz actual",
        "Una clave raíz nueva nunca cruza la red.",
        "Detén clavero allí, cambia la clave y copia seal/root.key allí",
    ),
    "data_dir_unwritable": (
        "No se puede escribir en el directorio de datos",
        "Es de otra persona, o el disco está lleno o protegido.",
        "Cambia su propietario, o usa --data-dir DIR",
    ),
    "database_newer": (
        "La base de datos es de un clavero posterior",
        "Un programa anterior no conoce el esquema.",
        "Instala la versión posterior. Nada cambió",
    ),
    "database_older": (
        "La base de datos necesita una migración",
        "La hizo un clavero anterior.",
        "Ejecuta clavero db migrate; antes hace una copia. Nada cambió",
    ),
    "database_half_migrated": (
        "Una migración de la base de datos no ha terminado",
        "clavero db migrate se detuvo a medias; lo hecho se conserva.",
        "Ejecuta otra vez clavero db migrate: sigue donde se detuvo",
    ),
    "database_foreign": (
        "La base de datos es de otro programa",
        "Contiene tablas que ningún clavero hizo.",
        "Indica una vacía en DATABASE_URL, u otro directorio. Nada cambió",
    ),
    "database_missing": (
        "Aún no hay base de datos",
        "Aquí no se inició nada, o DATABASE_URL indica una vacía.",
        "Iníciala una vez: clavero up; o indica el directorio de datos correcto",
    ),
    "database_exists": (
        "Ya hay una base de datos",
        "Una restauración no escribe sobre nada si no se le pide.",
        "Repite con --replace: aparta la anterior",
    ),
    "database_damaged": (
        "La base de datos está dañada",
        "Sus páginas se contradicen: un disco malo, u otro programa.",
        "Restaura una copia: clavero db restore ARCHIVO --replace",
    ),
    "backup_missing": (
        "No existe esa copia",
        "El archivo no está, o tiene otro nombre.",
        "Muéstralas: clavero db backups",
    ),
    "backup_damaged": (
        "La copia no está entera",
        "Se cortó o alteró, o es otro tipo de archivo.",
        "Toma otra: clavero db backups las muestra",
    ),
    "backup_unwritable": (
        "No se puede escribir el archivo",
        "El disco está lleno, o el lugar es de otra persona.",
        "Libera espacio, o indica otro lugar. Nada cambió",
    ),
    "database_unavailable": (
        "La base de datos no responde",
        "La dirección es incorrecta, el servidor está detenido o el disco lleno.",
        "Revisa storage.database_url y el servidor, y repite",
    ),
    "not_running": (
        "clavero no está en marcha aquí",
        "Ningún supervisor usa este directorio de datos.",
        "Inícialo: clavero up; o nombra otro: --url URL",
    ),
    "child_died": (
        "Un proceso de clavero terminó antes de atender",
        "Sus últimas líneas en stderr dicen por qué.",
        "Léelas, o ejecuta clavero doctor",
    ),
    "bad_setting": (
        "Un ajuste es desconocido o está fuera de rango",
        "Una opción, una variable o clavero.toml está mal escrita.",
        "Mira todos los nombres con clavero settings",
    ),
    "nginx_missing": (
        "No hay nginx aquí con que comparar",
        "La prueba mide junto a él.",
        "Instala nginx-light",
    ),
    "one_core": (
        "La prueba necesita dos núcleos",
        "La carga y la pasarela no deben compartir uno.",
        "Ejecútala donde haya dos",
    ),
    "bench_failed": (
        "Un proceso de la prueba no arrancó",
        "Sus últimas líneas no se guardaron.",
        "Ejecútalo a mano para ver por qué",
    ),
    "vault_damaged": (
        "La bóveda no se abre",
        "Falta una fila suya o fue alterada.",
        "Restaura la base de datos desde una copia. Nada cambió",
    ),
    "stranger": (
        "La consola no atiende a este visitante",
        "Sin TLS es solo para esta máquina, con su propio nombre.",
        "Ábrela en la propia máquina, o pon TLS delante",
    ),
}
