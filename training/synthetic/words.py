"""The words of synthetic documents, by language: labels, titles, goods, sentences.

Every list is one string with `|` between its entries, so that a new wording costs one word and a
diff shows which. Labels are bare: colon, capitals and layout are chosen when a document is set.
"""

from __future__ import annotations

_CONCEPT_LABELS: dict[str, dict[str, str]] = {
    "en": {
        "invoice_number": "Invoice Number|Invoice No.|Invoice No|Invoice #|Invoice|Inv. No.|Inv #|"
        "Bill "
        "No.|"
        "Document No.|Invoice ID|Tax Invoice No.|No.|Number|Invoice Ref|Reference|Doc. number|"
        "Serial No.|#",
        "issue_date": "Invoice Date|Date|Issue Date|Date of Issue|Issued|Issued on|Billing Date|"
        "Date Issued|"
        "Document Date|Bill Date|Tax Point|Dated|Invoice issued|Created",
        "due_date": "Due Date|Payment Due|Due|Pay by|Due on|Payment Due Date|Payable by|Date due|"
        "Please pay by|Payment deadline|Expires|Invoice Due",
        "delivery_date": "Delivery Date|Date of Supply|Service Date|Shipped on|Ship Date|Date "
        "Shipped|"
        "Date of Delivery|Delivered|Supply Date|Date of service",
        "order_number": "Order Number|Order No.|PO Number|P.O. #|Purchase Order|PO|Your Order No.|"
        "Order "
        "#|"
        "P.O. No.|Order ID|Your reference|Customer PO|Sales Order",
        "customer_number": "Customer No.|Customer Number|Customer ID|Account No.|Account Number|"
        "Client "
        "No.|"
        "Client ID|Cust. ID|Account|Debtor No.",
        "delivery_note_number": "Delivery Note No.|Delivery Note|Despatch Note|"
        "Packing Slip No.|Shipment "
        "No.|"
        "Waybill No.|Delivery ref.|Despatch Advice",
        "contract_number": "Contract No.|Contract Number|Agreement No.|Contract|Agreement ref.|"
        "Contract "
        "ID|"
        "Subscription ID|Policy No.",
        "contact_name": "Contact|Contact Person|Your contact|Salesperson|Sales Rep|Prepared by|"
        "Account Manager|"
        "Issued by|Attn. of|Clerk",
        "payment_terms": "Payment Terms|Terms|Terms of Payment|Payment condition|Terms & "
        "Conditions|"
        "Payment",
        "net_total": "Subtotal|Sub Total|Net Total|Total Net|Net Amount|Total excl. VAT|Total "
        "(excl. "
        "tax)|"
        "Taxable Amount|Total before tax|Net|Amount before tax|Sum net|SUBTOTAL|Taxable value|"
        "Total ex VAT",
        "tax_total": "VAT|Tax|Sales Tax|Total VAT|Total Tax|VAT Total|GST|Tax Amount|VAT Amount|"
        "Total "
        "GST|"
        "IGST|"
        "HST|Sum of taxes",
        "gross_total": "Total|Grand Total|Total Amount|Invoice Total|Total incl. VAT|Amount Total|"
        "TOTAL|"
        "Total (incl. tax)|Gross Total|Total Gross|Total Invoice Amount|Invoice Amount|"
        "Total payable|"
        "Order Total|Total Inc GST",
        "amount_paid": "Amount Paid|Paid|Prepaid|Less Payment Received|Deposit|Paid to date|"
        "Advance "
        "payment|"
        "Payments|Prepaid amount|Already paid",
        "amount_due": "Amount Due|Balance Due|Balance|Outstanding|Total Due|Remaining Balance|"
        "Please "
        "pay|"
        "Due amount|Balance to pay|Open amount|Amount Payable",
        "discount_total": "Discount|Less Discount|Total discount|Rebate|Promotional discount|"
        "Allowance|"
        "Special discount|Discounts",
        "shipping_total": "Shipping|Freight|Shipping & Handling|Delivery|Postage & Packing|"
        "Carriage|"
        "Delivery Charge|"
        "S&H|Shipping cost",
        "seller_vat_id": "VAT No.|VAT Reg. No.|VAT ID|VAT Number|Tax ID|Tax Registration No.|VAT|"
        "VAT Registration Number",
        "buyer_vat_id": "VAT No.|VAT ID|Customer VAT No.|Your VAT number|Buyer VAT ID|VAT Reg. "
        "No.|Tax "
        "ID|"
        "Customer VAT ID",
        "iban": "IBAN|IBAN No.|Account (IBAN)|Bank account|International account no.",
        "bic": "BIC|SWIFT|SWIFT/BIC|BIC / SWIFT|Swift Code",
        "bank_name": "Bank|Bank Name|Our bank|Banker|Bank details|Beneficiary bank",
        "seller_phone": "Phone|Tel|Tel.|T|Telephone|Ph|Call|Phone number",
        "seller_email": "Email|E-mail|E|Mail|Contact email|",
        "currency": "Currency|Invoice currency|Currency code|All amounts in|Amounts in|Billing "
        "currency",
        "ship_to": "Ship To|Deliver To|Delivery Address|Shipping Address|Ship-to|Consignee|Site "
        "address|"
        "Delivered to",
        "buyer": "Bill To|Invoice To|Billed To|Sold To|Customer|Client|Buyer|To|Billing Address|"
        "BILL TO|Charge to|"
        "Recipient|Invoiced to|Bill-to party|Prepared for|Attention|Purchaser|Customer details",
        "seller": "From|Seller|Supplier|Vendor|Issued by|Biller|Remit To|Sender|Service provider|"
        "Company|Invoice from|"
        "Supplier details|Payee",
    },
    "de": {
        "invoice_number": "Rechnungsnummer|Rechnungs-Nr.|Rechnung Nr.|Rechnungsnr.|Re.-Nr.|"
        "Rechnung|"
        "Beleg-Nr.|"
        "Belegnummer|RG-Nr.|Nr.|Rechnungs-Nummer|Faktura-Nr.|Nummer|Dokument-Nr.|Rechnung-Nr",
        "issue_date": "Rechnungsdatum|Datum|Rechnungs-Datum|Belegdatum|Ausstellungsdatum|Rechnung "
        "vom|"
        "vom|"
        "Ausgestellt am|Erstellt am|Dat.|Re.-Datum",
        "due_date": "Fällig am|Fälligkeitsdatum|Zahlbar bis|Fälligkeit|Zahlungsziel|Zahlungsfrist|"
        "fällig zum|"
        "Bitte zahlen bis|Zu zahlen bis|Nettofälligkeit",
        "delivery_date": "Lieferdatum|Leistungsdatum|Liefer-/Leistungsdatum|Geliefert am|Tag der "
        "Lieferung|"
        "Liefertermin|Datum der Leistung|Versanddatum",
        "order_number": "Bestellnummer|Bestell-Nr.|Ihre Bestellung|Auftragsnummer|Auftrags-Nr.|"
        "Auftrag|"
        "Bestellung|"
        "Ihre Bestellnr.|Ihr Auftrag|Order-Nr.",
        "customer_number": "Kundennummer|Kunden-Nr.|Kundennr.|Kd.-Nr.|Ihre Kundennummer|Debitor|"
        "Debitorennummer|"
        "Geschäftspartner-Nr.|KdNr",
        "delivery_note_number": "Lieferschein|Lieferschein-Nr.|Lieferscheinnummer|"
        "LS-Nr.|Lieferung Nr.|"
        "Versand-Nr.",
        "contract_number": "Vertragsnummer|Vertrag Nr.|Vertrags-Nr.|Vertragskonto|Vertrag|"
        "Rahmenvertrag|"
        "Policen-Nr.",
        "contact_name": "Ansprechpartner|Bearbeiter|Sachbearbeiter|Ihr Ansprechpartner|Kontakt|"
        "Es bedient Sie|"
        "Ansprechpartnerin|Erstellt von|Ihr Zeichen bei uns",
        "payment_terms": "Zahlungsbedingungen|Zahlungsbedingung|Zahlung|Zahlungskonditionen|"
        "Konditionen|"
        "Zahlungsweise",
        "net_total": "Nettobetrag|Summe netto|Zwischensumme|Gesamt netto|Netto|Nettosumme|Summe "
        "(netto)|"
        "Warenwert|"
        "Gesamtbetrag netto|Zwischensumme (netto)|Betrag netto|Rechnungssumme netto|"
        "Positionen netto",
        "tax_total": "MwSt.|USt.|Umsatzsteuer|Mehrwertsteuer|MwSt|zzgl. MwSt.|zzgl. USt.|"
        "Steuerbetrag|"
        "MwSt-Betrag|"
        "Summe Umsatzsteuer|Summe Steuern|gesetzl. MwSt.",
        "gross_total": "Gesamtbetrag|Rechnungsbetrag|Gesamtsumme|Bruttobetrag|Summe brutto|"
        "Endbetrag|"
        "Gesamt|"
        "Total|"
        "Brutto|Gesamt brutto|Bruttosumme|Rechnungssumme|Endsumme|Summe|Gesamt (brutto)",
        "amount_paid": "Bereits gezahlt|Anzahlung|abzgl. Anzahlung|Gezahlt|Geleistete Zahlungen|"
        "Vorauszahlung|Gezahlter Betrag|"
        "Abschlagszahlung|Bezahlt",
        "amount_due": "Zahlbetrag|Offener Betrag|Noch zu zahlen|Restbetrag|Fälliger Betrag|Zu "
        "zahlen|"
        "Zahlungsbetrag|"
        "Verbleibender Betrag|Restforderung",
        "discount_total": "Rabatt|abzgl. Rabatt|Nachlass|Abschläge|Summe Abschläge|Gesamtrabatt|"
        "Sonderrabatt|"
        "Bonus",
        "shipping_total": "Versandkosten|Versand|Fracht|Porto und Verpackung|Lieferkosten|"
        "Frachtkosten|"
        "Transport|Zuschläge Versand",
        "seller_vat_id": "USt-IdNr.|USt-ID|USt.-Id.-Nr.|Umsatzsteuer-ID|UID|Ust.ID|USt-ID-Nr.|"
        "Umsatzsteuer-Identifikationsnummer",
        "buyer_vat_id": "Ihre USt-IdNr.|USt-IdNr.|Kunden-UID|USt-ID Kunde|USt.-ID des Kunden|"
        "Ihre UID|"
        "Ihre USt-ID",
        "iban": "IBAN|Konto (IBAN)|Bankverbindung IBAN|IBAN-Nr.|Kto. IBAN",
        "bic": "BIC|SWIFT|BIC/SWIFT|SWIFT-BIC|Swift-Code",
        "bank_name": "Bank|Bankverbindung|Kreditinstitut|Geldinstitut|Hausbank",
        "seller_phone": "Telefon|Tel.|Tel|Fon|T|Telefon-Nr.|Mobil",
        "seller_email": "E-Mail|Email|Mail|eMail|E|",
        "currency": "Währung|Alle Beträge in|Beträge in|Rechnungswährung|Währungscode",
        "ship_to": "Lieferadresse|Lieferanschrift|Warenempfänger|Versandadresse|Leistungsort|"
        "Lieferung an|Lieferort",
        "buyer": "Kunde|Rechnung an|Rechnungsempfänger|Empfänger|Rechnungsadresse|Käufer|"
        "Rechnungsanschrift|An|"
        "Auftraggeber|Leistungsempfänger|Kundenname|Firma|Herrn/Frau/Firma",
        "seller": "Verkäufer|Lieferant|Absender|Rechnungssteller|Von|Leistungserbringer|"
        "Auftragnehmer|"
        "Firma|Aussteller",
    },
    "fr": {
        "invoice_number": "Facture N°|Facture n°|N° de facture|Numéro de facture|Facture|N° "
        "facture|"
        "Réf. facture|"
        "Numéro|N°|Référence|Facture No|N° de pièce|No de facture|Ref.",
        "issue_date": "Date|Date de facture|Date de facturation|Date d'émission|Émise le|Date "
        "facture|"
        "Le|"
        "Facture du|Établie le|Date de la facture",
        "due_date": "Échéance|Date d'échéance|À régler avant le|Date limite de paiement|Payable le|"
        "Règlement au|"
        "Date de règlement|À payer avant le|Échéance le",
        "delivery_date": "Date de livraison|Livré le|Date de prestation|Livraison du|Date "
        "d'expédition|"
        "Date d'exécution|Livraison",
        "order_number": "N° de commande|Commande n°|Bon de commande|Votre commande|Numéro de "
        "commande|"
        "Réf. commande|"
        "Commande|N° BC|N° bon de commande",
        "customer_number": "N° client|Code client|Numéro client|Réf. client|"
        "Client n°|Compte client|"
        "N° de "
        "client",
        "delivery_note_number": "Bon de livraison|BL n°|N° BL|N° de bon de livraison|"
        "Bon de livraison n°|"
        "Bordereau",
        "contract_number": "N° de contrat|Contrat n°|Contrat|Référence contrat|"
        "Numéro de contrat|N° "
        "contrat",
        "contact_name": "Contact|Interlocuteur|Votre contact|Suivi par|Vendeur|Affaire suivie par|"
        "Commercial",
        "payment_terms": "Conditions de paiement|Modalités de paiement|Conditions de règlement|"
        "Règlement|"
        "Mode de règlement|Délai de paiement",
        "net_total": "Total HT|Montant HT|Sous-total|Total hors taxes|Net HT|Total net HT|"
        "Sous-total "
        "HT|"
        "Base HT|"
        "Montant total HT|Total H.T.|Somme HT",
        "tax_total": "TVA|Total TVA|Montant TVA|Montant de la TVA|Total taxes|T.V.A.|Total de la "
        "TVA|"
        "TPS/TVQ",
        "gross_total": "Total TTC|Montant TTC|Net à payer|Total|Montant total TTC|Total général|"
        "Total T.T.C.|"
        "Total à payer|Montant total|Somme TTC|TOTAL TTC",
        "amount_paid": "Acompte|Déjà réglé|Acompte versé|Montant payé|Déjà payé|Règlement reçu|"
        "Avance",
        "amount_due": "Reste à payer|Solde|Solde à payer|Solde dû|Reste dû|Montant dû|Net "
        "restant à "
        "payer",
        "discount_total": "Remise|Remise globale|Rabais|Escompte|Total remises|Réduction|Remise "
        "commerciale",
        "shipping_total": "Frais de port|Livraison|Port|Transport|Frais d'expédition|Frais de "
        "livraison",
        "seller_vat_id": "N° TVA|TVA intracommunautaire|N° TVA intracom.|Identifiant TVA|TVA|"
        "Numéro de "
        "TVA|"
        "N° de TVA",
        "buyer_vat_id": "N° TVA client|Votre n° TVA|TVA client|N° TVA|Votre TVA intracom.",
        "iban": "IBAN|Compte IBAN|Code IBAN|RIB / IBAN|N° IBAN",
        "bic": "BIC|SWIFT|Code BIC|BIC/SWIFT|Code SWIFT",
        "bank_name": "Banque|Domiciliation|Établissement|Nom de la banque|Coordonnées bancaires",
        "seller_phone": "Tél.|Tél|Téléphone|Tel|T|Portable",
        "seller_email": "E-mail|Courriel|Email|Mél|Mail|",
        "currency": "Devise|Montants en|Tous les montants sont en|Monnaie|Devise de facturation",
        "ship_to": "Adresse de livraison|Livré à|Livraison à|Lieu de livraison|Destinataire "
        "livraison|"
        "Livrer à",
        "buyer": "Client|Facturé à|Destinataire|Adresse de facturation|À l'attention de|Acheteur|"
        "Facturer à|"
        "Adressé à|Coordonnées client|Doit",
        "seller": "Émetteur|Vendeur|Fournisseur|De|Prestataire|Expéditeur|Société|Émis par",
    },
    "pt": {
        "invoice_number": "Fatura N.º|Nº da Fatura|Número da Fatura|Fatura|Número|Nº|Nota Fiscal "
        "Nº|"
        "Número da Nota|"
        "N.º do documento|Nº da Nota|Fatura-recibo n.º|Número da NFS-e|Documento|Nota nº",
        "issue_date": "Data|Data de emissão|Data da Fatura|Data da Emissão|Emitida em|Emissão|"
        "Data do documento|"
        "Data e hora da emissão|Emitido em",
        "due_date": "Vencimento|Data de vencimento|Pagar até|Data limite de pagamento|Vence em|"
        "Prazo de pagamento até|"
        "Data do vencimento|Pagável até",
        "delivery_date": "Data de entrega|Data da prestação|Entregue em|Data de saída|Data do "
        "serviço|"
        "Data da entrega|"
        "Competência",
        "order_number": "Pedido|Nº do Pedido|Encomenda|N.º encomenda|Ordem de compra|Pedido nº|V/ "
        "encomenda|"
        "OC",
        "customer_number": "Cód. Cliente|Código do cliente|Cliente nº|N.º cliente|Nº de cliente|"
        "Conta|"
        "Matrícula",
        "delivery_note_number": "Guia de remessa|Guia de transporte|Guia nº|N.º da guia|Romaneio",
        "contract_number": "Contrato|Contrato nº|Nº do contrato|N.º contrato|Número do contrato|"
        "Apólice",
        "contact_name": "Contato|Vendedor|Contacto|Responsável|Atendente|A/C|Operador",
        "payment_terms": "Condições de pagamento|Condição de pagamento|Forma de pagamento|"
        "Pagamento|"
        "Cond. pagamento",
        "net_total": "Subtotal|Total líquido|Valor dos serviços|Base de cálculo|Total sem IVA|"
        "Total ilíquido|"
        "Valor líquido|Valor dos produtos|Incidência|Soma",
        "tax_total": "IVA|Total IVA|Valor do ISS|Total de impostos|Imposto|Valor do IVA|ISS|"
        "Impostos|"
        "Total de tributos",
        "gross_total": "Total|Valor total|Total a pagar|Valor total da nota|Total com IVA|Total da "
        "fatura|"
        "Valor total da nota fiscal|Total geral|Total do documento",
        "amount_paid": "Valor pago|Pago|Adiantamento|Já pago|Entrada|Sinal",
        "amount_due": "Saldo a pagar|Valor em aberto|Saldo|Restante|Valor a pagar|Em dívida",
        "discount_total": "Desconto|Descontos|Valor do desconto|Desconto comercial|Abatimento|"
        "Total de descontos",
        "shipping_total": "Frete|Portes|Valor do frete|Envio|Transporte|Portes de envio",
        "seller_vat_id": "NIF|Contribuinte n.º|N.º contribuinte|NIPC|IVA n.º",
        "buyer_vat_id": "NIF|Contribuinte|V/ contribuinte|NIF do cliente|V/ N.º Contrib.",
        "iban": "IBAN|NIB / IBAN|Conta IBAN|Transferência para IBAN|IBAN n.º",
        "bic": "BIC|SWIFT|BIC/SWIFT|Código SWIFT|BIC SWIFT",
        "bank_name": "Banco|Instituição|Nome do banco|Dados bancários|Agência bancária",
        "seller_phone": "Telefone|Tel.|Fone|Tel|Telef.|Celular",
        "seller_email": "E-mail|Email|Correio eletrónico|Mail|",
        "currency": "Moeda|Valores em|Todos os valores em|Moeda do documento|Divisa",
        "ship_to": "Local de entrega|Endereço de entrega|Entregar a|Morada de entrega|Local de "
        "descarga",
        "buyer": "Cliente|Destinatário|Tomador do Serviço|Faturar a|Exmo.(s) Sr.(s)|Adquirente|"
        "Sacado|"
        "Dados do cliente|Tomador|Destinatário / Remetente|Comprador",
        "seller": "Emitente|Prestador do Serviço|Fornecedor|De|Vendedor|Prestador|Empresa|Emissor",
    },
    "es": {
        "invoice_number": "Factura N.º|Nº de factura|Número de factura|Factura|Factura nº|Nº "
        "factura|"
        "Núm. factura|"
        "Número|Factura núm.|Nº|Folio|Referencia",
        "issue_date": "Fecha|Fecha de factura|Fecha de emisión|Fecha factura|Emitida el|"
        "Fecha de expedición|Expedida el",
        "due_date": "Vencimiento|Fecha de vencimiento|Pagar antes del|Fecha límite de pago|Vence "
        "el|"
        "Vto.|"
        "Pagadero el",
        "delivery_date": "Fecha de entrega|Fecha de prestación|Entregado el|Fecha de operación|"
        "Fecha de servicio|"
        "Fecha de envío",
        "order_number": "Pedido|Nº de pedido|Su pedido|Orden de compra|Pedido núm.|O.C.|Número de "
        "pedido",
        "customer_number": "Nº de cliente|Código cliente|Cód. cliente|Cliente nº|"
        "Núm. cliente|Cuenta",
        "delivery_note_number": "Albarán|Nº de albarán|Albarán nº|Remisión|Nota de entrega|Guía de "
        "remisión",
        "contract_number": "Contrato|Nº de contrato|Contrato nº|Núm. contrato|Referencia de "
        "contrato|"
        "Póliza",
        "contact_name": "Contacto|Vendedor|Comercial|Atendido por|Persona de contacto|Agente",
        "payment_terms": "Condiciones de pago|Forma de pago|Términos de pago|Modo de pago|Pago",
        "net_total": "Base imponible|Subtotal|Total neto|Importe neto|Neto|Total sin IVA|Suma|Base",
        "tax_total": "IVA|Total IVA|Cuota IVA|Importe IVA|I.V.A.|Impuestos|Cuota",
        "gross_total": "Total|Total factura|Importe total|Total a pagar|TOTAL|Total con IVA|Total "
        "general|"
        "Total (IVA incl.)",
        "amount_paid": "Pagado|Anticipo|A cuenta|Ya pagado|Importe pagado|Entregado a cuenta",
        "amount_due": "Pendiente|Saldo pendiente|Pendiente de pago|Resta por pagar|Saldo|Importe "
        "pendiente",
        "discount_total": "Descuento|Dto.|Bonificación|Descuento comercial|Total descuentos|Rebaja",
        "shipping_total": "Gastos de envío|Portes|Envío|Transporte|Flete",
        "seller_vat_id": "CIF|NIF|NIF/CIF|N.I.F.|IVA intracomunitario|C.I.F.",
        "buyer_vat_id": "CIF|NIF|NIF cliente|CIF cliente|N.I.F.",
        "iban": "IBAN|Cuenta IBAN|Nº de cuenta|Cuenta bancaria|IBAN cuenta",
        "bic": "BIC|SWIFT|BIC/SWIFT|Código BIC|Código SWIFT",
        "bank_name": "Banco|Entidad|Entidad bancaria|Nombre del banco|Domiciliación",
        "seller_phone": "Teléfono|Tel.|Tfno.|Tlf.|Tel|Móvil",
        "seller_email": "Correo|E-mail|Email|Correo electrónico|Mail|",
        "currency": "Moneda|Divisa|Importes en|Todos los importes en|Moneda de factura",
        "ship_to": "Dirección de entrega|Enviar a|Lugar de entrega|Entregar en|Dirección de envío",
        "buyer": "Cliente|Facturar a|Datos del cliente|Destinatario|Receptor|Señores|Comprador|"
        "Facturado a|Sr./Sra.",
        "seller": "Emisor|Vendedor|Proveedor|De|Empresa|Datos del emisor|Prestador",
    },
    "it": {
        "invoice_number": "Fattura n.|Numero fattura|Fattura N°|N. fattura|Fattura|Numero "
        "documento|"
        "Numero|"
        "N.|"
        "Fatt. n.|"
        "Nr. documento",
        "issue_date": "Data|Data fattura|Data documento|Data emissione|Emessa il|del|Data di "
        "emissione",
        "due_date": "Scadenza|Data scadenza|Scadenza pagamento|Da pagare entro il|Pagamento entro "
        "il|"
        "Scade il",
        "delivery_date": "Data di consegna|Data consegna|Consegnato il|Data prestazione|Data "
        "spedizione",
        "order_number": "Ordine n.|Numero ordine|Vs. ordine|Ordine|Ordine d'acquisto|Rif. ordine",
        "customer_number": "Codice cliente|Cod. cliente|N. cliente|Cliente n.|Conto cliente",
        "delivery_note_number": "DDT n.|D.D.T.|Bolla n.|Documento di trasporto|Numero DDT",
        "contract_number": "Contratto n.|Contratto|Numero contratto|Rif. contratto|Polizza n.",
        "contact_name": "Contatto|Referente|Agente|Vs. riferimento|Redatto da",
        "payment_terms": "Condizioni di pagamento|Pagamento|Modalità di pagamento|Termini di "
        "pagamento|"
        "Termini",
        "net_total": "Imponibile|Totale imponibile|Subtotale|Totale netto|Netto|Totale merce|"
        "Importo "
        "netto",
        "tax_total": "IVA|Totale IVA|Imposta|Importo IVA|Totale imposta|I.V.A.",
        "gross_total": "Totale|Totale fattura|Totale documento|Totale da pagare|Totale complessivo|"
        "Importo totale|"
        "Totale ivato",
        "amount_paid": "Acconto|Già pagato|Acconto versato|Pagato|Anticipo",
        "amount_due": "Saldo|Residuo da pagare|Netto a pagare|Saldo dovuto|Da saldare",
        "discount_total": "Sconto|Sconto totale|Abbuono|Sconti|Riduzione",
        "shipping_total": "Spese di spedizione|Trasporto|Spedizione|Spese trasporto|Porto",
        "seller_vat_id": "P.IVA|Partita IVA|P. IVA|Part. IVA|P.I.",
        "buyer_vat_id": "P.IVA|Partita IVA|P.IVA cliente|P. IVA|P.I.",
        "iban": "IBAN|Codice IBAN|Coordinate IBAN|C/C IBAN|Conto IBAN",
        "bic": "BIC|SWIFT|BIC/SWIFT|Codice BIC|Codice SWIFT",
        "bank_name": "Banca|Banca d'appoggio|Istituto|Nome banca|Ns. banca",
        "seller_phone": "Tel.|Telefono|Tel|Cell.|T",
        "seller_email": "E-mail|Email|Posta elettronica|Mail|",
        "currency": "Valuta|Divisa|Importi in|Tutti gli importi in|Moneta",
        "ship_to": "Destinazione merce|Luogo di consegna|Indirizzo di consegna|Spedire a|"
        "Consegnare "
        "a",
        "buyer": "Cliente|Destinatario|Spett.le|Intestatario|Fatturare a|Cessionario/committente|"
        "Acquirente|Intestata a",
        "seller": "Fornitore|Mittente|Cedente/prestatore|Da|Emittente|Venditore|Azienda",
    },
    "nl": {
        "invoice_number": "Factuurnummer|Factuur nr.|Factuurnr.|Factuur|Nummer|Nr.|Factuur-nr|"
        "Documentnummer",
        "issue_date": "Factuurdatum|Datum|Datum factuur|Uitgiftedatum|Opgesteld op|d.d.",
        "due_date": "Vervaldatum|Te betalen voor|Uiterste betaaldatum|Betalen vóór|Vervalt op|"
        "Vervaldag",
        "delivery_date": "Leverdatum|Datum levering|Geleverd op|Leveringsdatum|Prestatiedatum",
        "order_number": "Ordernummer|Bestelnummer|Uw order|Inkooporder|Uw bestelling|Order",
        "customer_number": "Klantnummer|Klantnr.|Debiteurnummer|Relatienummer|Deb.nr.|Klant-ID",
        "delivery_note_number": "Pakbon|Leverbon|Pakbonnummer|Vrachtbrief|Leverbon nr.",
        "contract_number": "Contractnummer|Contract|Overeenkomst|Contractnr.|Polisnummer",
        "contact_name": "Contactpersoon|Behandeld door|Uw contact|Verkoper|Contact",
        "payment_terms": "Betalingsvoorwaarden|Betalingstermijn|Betaling|Betaalconditie|"
        "Betalingsconditie",
        "net_total": "Subtotaal|Totaal excl. btw|Netto|Totaal exclusief btw|Bedrag excl. btw|"
        "Nettobedrag",
        "tax_total": "BTW|btw|Totaal btw|Btw-bedrag|BTW bedrag|Omzetbelasting",
        "gross_total": "Totaal|Totaal incl. btw|Totaalbedrag|Te betalen|Factuurbedrag|Totaal "
        "inclusief "
        "btw|"
        "Eindtotaal",
        "amount_paid": "Reeds betaald|Aanbetaling|Voldaan|Voorschot|Betaald",
        "amount_due": "Openstaand bedrag|Nog te betalen|Restbedrag|Saldo|Te voldoen",
        "discount_total": "Korting|Totale korting|Rabat|Actiekorting|Af: korting",
        "shipping_total": "Verzendkosten|Vracht|Bezorgkosten|Transportkosten|Porto",
        "seller_vat_id": "Btw-nummer|BTW nr.|BTW|Btw-id|BTW-nummer",
        "buyer_vat_id": "Uw btw-nummer|Btw-nummer klant|BTW-nummer|Btw-id klant|Uw BTW nr.",
        "iban": "IBAN|Rekeningnummer|IBAN nummer|Bankrekening|Rek. nr. (IBAN)",
        "bic": "BIC|SWIFT|BIC/SWIFT|BIC-code|Swiftcode",
        "bank_name": "Bank|Bankrelatie|Naam bank|Onze bank|Bankgegevens",
        "seller_phone": "Telefoon|Tel.|Tel|T|Telefoonnummer",
        "seller_email": "E-mail|Email|E|Mail|",
        "currency": "Valuta|Bedragen in|Alle bedragen in|Munteenheid|Factuurvaluta",
        "ship_to": "Afleveradres|Bezorgadres|Leveringsadres|Verzenden naar|Leveren aan",
        "buyer": "Klant|Factuur aan|Aan|Factuuradres|Afnemer|Opdrachtgever|Geadresseerde|T.a.v.",
        "seller": "Leverancier|Van|Afzender|Verkoper|Opdrachtnemer|Bedrijf",
    },
    "cs": {
        "invoice_number": "Faktura č.|Číslo faktury|Faktura - daňový doklad č.|Faktura|Doklad č.|"
        "Číslo "
        "dokladu|"
        "č.|Variabilní symbol",
        "issue_date": "Datum vystavení|Vystaveno|Vystaveno dne|Den vystavení|Datum",
        "due_date": "Datum splatnosti|Splatnost|Den splatnosti|Splatné do|Splatno",
        "delivery_date": "Datum uskutečnění plnění|DUZP|Datum zdanitelného plnění|Datum dodání|"
        "Den uskutečnění plnění",
        "order_number": "Objednávka č.|Číslo objednávky|Objednávka|Vaše objednávka",
        "customer_number": "Číslo zákazníka|Zákazník č.|Kód odběratele|Zákaznické číslo",
        "delivery_note_number": "Dodací list|Dodací list č.|Číslo dodacího listu",
        "contract_number": "Smlouva č.|Číslo smlouvy|Smlouva",
        "contact_name": "Vystavil|Kontaktní osoba|Vyřizuje|Kontakt",
        "payment_terms": "Forma úhrady|Způsob platby|Platební podmínky|Platba",
        "net_total": "Základ daně|Celkem bez DPH|Mezisoučet|Součet bez DPH|Základ",
        "tax_total": "DPH|Celkem DPH|Daň|Výše DPH",
        "gross_total": "Celkem k úhradě|Celkem|Celkem s DPH|Celková částka|K úhradě|Částka celkem",
        "amount_paid": "Zaplaceno|Uhrazeno zálohou|Záloha|Již uhrazeno",
        "amount_due": "Zbývá uhradit|Doplatek|K doplacení",
        "discount_total": "Sleva|Sleva celkem|Rabat",
        "shipping_total": "Doprava|Poštovné|Dopravné|Poštovné a balné",
        "seller_vat_id": "DIČ|DIČ dodavatele",
        "buyer_vat_id": "DIČ|DIČ odběratele",
        "iban": "IBAN|Účet (IBAN)|Číslo účtu IBAN",
        "bic": "SWIFT|BIC|BIC/SWIFT",
        "bank_name": "Banka|Název banky|Peněžní ústav",
        "seller_phone": "Telefon|Tel.|Tel|Mobil",
        "seller_email": "E-mail|Email|",
        "currency": "Měna|Částky v|Všechny částky v|Měna dokladu",
        "ship_to": "Místo dodání|Konečný příjemce|Dodací adresa|Příjemce",
        "buyer": "Odběratel|Zákazník|Kupující|Odběratel (plátce)|Fakturováno",
        "seller": "Dodavatel|Prodávající|Vystavitel|Poskytovatel",
    },
    "pl": {
        "invoice_number": "Faktura VAT nr|Faktura nr|Numer faktury|Nr faktury|Numer|FAKTURA NR|"
        "Faktura",
        "issue_date": "Data wystawienia|Wystawiono dnia|Data|Wystawiono|Data faktury",
        "due_date": "Termin płatności|Termin zapłaty|Płatne do|Zapłata do dnia",
        "delivery_date": "Data sprzedaży|Data dostawy|Data wykonania usługi|Data dostarczenia",
        "order_number": "Zamówienie nr|Numer zamówienia|Zamówienie|Nr zam.",
        "customer_number": "Nr klienta|Numer klienta|Kod kontrahenta|ID klienta",
        "delivery_note_number": "WZ nr|Dokument WZ|Nr WZ|List przewozowy",
        "contract_number": "Umowa nr|Numer umowy|Umowa",
        "contact_name": "Wystawił|Osoba kontaktowa|Sprzedawca (osoba)|Opiekun",
        "payment_terms": "Sposób zapłaty|Forma płatności|Warunki płatności|Płatność",
        "net_total": "Wartość netto|Razem netto|Suma netto|Kwota netto|Netto",
        "tax_total": "VAT|Kwota VAT|Razem VAT|Podatek VAT|Suma VAT",
        "gross_total": "Razem do zapłaty|Do zapłaty|Wartość brutto|Razem brutto|Kwota należności "
        "ogółem|"
        "Razem",
        "amount_paid": "Zapłacono|Zaliczka|Wpłacono|Przedpłata",
        "amount_due": "Pozostało do zapłaty|Pozostaje|Saldo",
        "discount_total": "Rabat|Upust|Rabat razem",
        "shipping_total": "Transport|Koszt wysyłki|Dostawa|Przesyłka",
        "seller_vat_id": "NIP|NIP sprzedawcy|Numer VAT",
        "buyer_vat_id": "NIP|NIP nabywcy|NIP kupującego",
        "iban": "Nr rachunku|Konto|IBAN|Numer konta|Rachunek bankowy",
        "bic": "SWIFT|BIC|BIC/SWIFT",
        "bank_name": "Bank|Nazwa banku|W banku",
        "seller_phone": "Tel.|Telefon|tel|Kom.",
        "seller_email": "E-mail|Email|",
        "currency": "Waluta|Kwoty w|Kod waluty|Wszystkie kwoty w",
        "ship_to": "Miejsce dostawy|Odbiorca|Adres dostawy",
        "buyer": "Nabywca|Kupujący|Klient|Zamawiający",
        "seller": "Sprzedawca|Wystawca|Dostawca",
    },
    "sv": {
        "invoice_number": "Fakturanummer|Fakturanr|Faktura nr|Faktura",
        "issue_date": "Fakturadatum|Datum|Utfärdad",
        "due_date": "Förfallodatum|Förfallodag|Oss tillhanda senast|Betalas senast",
        "delivery_date": "Leveransdatum|Levererad|Leveransdag",
        "order_number": "Ordernummer|Beställningsnr|Er order|Ordernr",
        "customer_number": "Kundnummer|Kundnr|Kund-ID",
        "delivery_note_number": "Följesedel|Följesedelsnr",
        "contract_number": "Avtalsnummer|Avtal|Avtalsnr",
        "contact_name": "Vår referens|Kontaktperson|Handläggare|Säljare",
        "payment_terms": "Betalningsvillkor|Betalvillkor|Villkor",
        "net_total": "Netto|Summa exkl. moms|Delsumma|Belopp före moms",
        "tax_total": "Moms|Momsbelopp|Total moms",
        "gross_total": "Att betala|Summa att betala|Totalt|Summa inkl. moms|Totalbelopp",
        "amount_paid": "Betalt|Förskott|Redan betalt",
        "amount_due": "Kvar att betala|Återstår|Restbelopp",
        "discount_total": "Rabatt|Avdrag|Total rabatt",
        "shipping_total": "Frakt|Porto|Fraktkostnad",
        "seller_vat_id": "Momsreg.nr|VAT-nr|Momsregistreringsnummer|VAT nr",
        "buyer_vat_id": "Ert VAT-nr|Kundens momsreg.nr|Ert momsreg.nr",
        "iban": "IBAN|IBAN-nr",
        "bic": "BIC|SWIFT|BIC/SWIFT",
        "bank_name": "Bank|Bankförbindelse",
        "seller_phone": "Telefon|Tel|Tfn",
        "seller_email": "E-post|Email|",
        "currency": "Valuta|Belopp i|Alla belopp i",
        "ship_to": "Leveransadress|Godsmottagare",
        "buyer": "Kund|Fakturaadress|Mottagare|Köpare",
        "seller": "Säljare|Leverantör|Avsändare",
    },
    "da": {
        "invoice_number": "Fakturanummer|Fakturanr.|Faktura nr.|Faktura",
        "issue_date": "Fakturadato|Dato|Udstedt",
        "due_date": "Forfaldsdato|Betalingsfrist|Betales senest|Forfalder",
        "delivery_date": "Leveringsdato|Leveret|Levering",
        "order_number": "Ordrenummer|Ordrenr.|Deres ordre|Rekvisition",
        "customer_number": "Kundenummer|Kundenr.|Debitornr.",
        "delivery_note_number": "Følgeseddel|Følgeseddel nr.",
        "contract_number": "Kontraktnr.|Aftale nr.|Kontrakt",
        "contact_name": "Vores ref.|Kontaktperson|Sælger",
        "payment_terms": "Betalingsbetingelser|Betaling|Betalingsvilkår",
        "net_total": "Subtotal|Beløb ekskl. moms|Netto|I alt ekskl. moms",
        "tax_total": "Moms|Momsbeløb|Moms i alt",
        "gross_total": "I alt|Total|I alt inkl. moms|At betale|Fakturabeløb",
        "amount_paid": "Betalt|Forudbetalt|Acontobetaling",
        "amount_due": "Restbeløb|Skyldigt beløb|Til betaling",
        "discount_total": "Rabat|Rabat i alt",
        "shipping_total": "Fragt|Forsendelse|Porto",
        "seller_vat_id": "CVR-nr.|CVR|SE-nr.|Momsnr.",
        "buyer_vat_id": "Kundens CVR|Jeres CVR-nr.|EAN/CVR",
        "iban": "IBAN|IBAN nr.",
        "bic": "SWIFT|BIC|SWIFT/BIC",
        "bank_name": "Bank|Pengeinstitut",
        "seller_phone": "Telefon|Tlf.|Tlf",
        "seller_email": "E-mail|Mail|",
        "currency": "Valuta|Beløb i|Alle beløb i",
        "ship_to": "Leveringsadresse|Leveres til",
        "buyer": "Kunde|Faktureres til|Modtager|Køber",
        "seller": "Sælger|Leverandør|Afsender",
    },
    "sk": {
        "invoice_number": "Faktúra č.|Číslo faktúry|Faktúra|Doklad č.",
        "issue_date": "Dátum vystavenia|Vystavené|Vystavená dňa",
        "due_date": "Dátum splatnosti|Splatnosť|Splatné do",
        "delivery_date": "Dátum dodania|Deň dodania|Dátum dodania tovaru",
        "order_number": "Objednávka č.|Číslo objednávky|Objednávka",
        "customer_number": "Číslo zákazníka|Kód odberateľa",
        "delivery_note_number": "Dodací list|Dodací list č.",
        "contract_number": "Zmluva č.|Číslo zmluvy",
        "contact_name": "Vystavil|Vyhotovil|Kontaktná osoba",
        "payment_terms": "Forma úhrady|Spôsob platby|Platobné podmienky",
        "net_total": "Základ dane|Spolu bez DPH|Medzisúčet",
        "tax_total": "DPH|Spolu DPH|Výška DPH",
        "gross_total": "Spolu|Celkom k úhrade|Spolu s DPH|K úhrade|Celková suma",
        "amount_paid": "Uhradené|Záloha|Zaplatené zálohou",
        "amount_due": "Zostáva uhradiť|Na úhradu zostáva",
        "discount_total": "Zľava|Zľava spolu",
        "shipping_total": "Doprava|Poštovné",
        "seller_vat_id": "IČ DPH|IČ DPH dodávateľa",
        "buyer_vat_id": "IČ DPH|IČ DPH odberateľa",
        "iban": "IBAN|Účet (IBAN)",
        "bic": "SWIFT|BIC|SWIFT/BIC",
        "bank_name": "Banka|Názov banky",
        "seller_phone": "Tel.|Telefón|Mobil",
        "seller_email": "E-mail|Email|",
        "currency": "Mena|Sumy v|Všetky sumy v",
        "ship_to": "Miesto dodania|Konečný príjemca",
        "buyer": "Odberateľ|Zákazník|Kupujúci",
        "seller": "Dodávateľ|Predávajúci",
    },
    "ro": {
        "invoice_number": "Factura nr.|Număr factură|Seria și nr.|Factura|Nr. factură",
        "issue_date": "Data|Data emiterii|Data facturii|Emisă la",
        "due_date": "Scadență|Data scadenței|Termen de plată|Scadentă la",
        "delivery_date": "Data livrării|Livrat la|Data prestării",
        "order_number": "Comanda nr.|Număr comandă|Comanda",
        "customer_number": "Cod client|Nr. client",
        "delivery_note_number": "Aviz nr.|Aviz de însoțire",
        "contract_number": "Contract nr.|Contract",
        "contact_name": "Întocmit de|Persoană de contact|Agent",
        "payment_terms": "Condiții de plată|Modalitate de plată|Plata",
        "net_total": "Total fără TVA|Subtotal|Valoare netă",
        "tax_total": "TVA|Total TVA|Valoare TVA",
        "gross_total": "Total de plată|Total|Total cu TVA|Total general",
        "amount_paid": "Achitat|Avans|Plătit",
        "amount_due": "Rest de plată|Sold",
        "discount_total": "Reducere|Discount",
        "shipping_total": "Transport|Livrare|Cost transport",
        "seller_vat_id": "CIF|C.I.F.|CUI",
        "buyer_vat_id": "CIF|C.I.F.|CUI",
        "iban": "IBAN|Cont IBAN|Cont",
        "bic": "SWIFT|BIC",
        "bank_name": "Banca|Banca furnizor",
        "seller_phone": "Tel.|Telefon|Tel",
        "seller_email": "E-mail|Email|",
        "currency": "Moneda|Sume în|Toate sumele în",
        "ship_to": "Adresa de livrare|Loc de livrare",
        "buyer": "Cumpărător|Client|Beneficiar",
        "seller": "Furnizor|Vânzător|Prestator",
    },
}

_TITLES: dict[str, str] = {
    "en": "INVOICE|Invoice|Tax Invoice|TAX INVOICE|Bill|Receipt|Credit Note|Commercial Invoice|"
    "Pro Forma Invoice|"
    "Sales Invoice|Service Invoice|Statement of charges|Order confirmation|invoice|SALES RECEIPT|"
    "Final invoice",
    "de": "Rechnung|RECHNUNG|Gutschrift|Abschlagsrechnung|Schlussrechnung|Quittung|Handelsrechnung|"
    "Rechnungskorrektur|"
    "Sammelrechnung|Auftragsbestätigung|Kassenbeleg|Honorarrechnung|Faktura|Ihre Rechnung",
    "fr": "FACTURE|Facture|Avoir|Facture d'acompte|Reçu|Note d'honoraires|Facture de solde|"
    "Votre facture|Facture proforma",
    "pt": "FATURA|Fatura|Nota Fiscal|Fatura-Recibo|Recibo|Nota de Crédito|NOTA FISCAL DE SERVIÇOS|"
    "Fatura Simplificada|"
    "DANFE|NFS-e",
    "es": "FACTURA|Factura|Factura simplificada|Abono|Recibo|Nota de crédito|Factura proforma",
    "it": "FATTURA|Fattura|Nota di credito|Parcella|Ricevuta|Fattura accompagnatoria|"
    "Fattura proforma",
    "nl": "FACTUUR|Factuur|Creditnota|Nota|Kwitantie|Verkoopfactuur",
    "cs": "FAKTURA|Faktura|FAKTURA - DAŇOVÝ DOKLAD|Daňový doklad|Dobropis|Zálohová faktura|Účtenka",
    "pl": "FAKTURA|Faktura VAT|Faktura|Faktura korygująca|Rachunek|Paragon|Faktura pro forma",
    "sv": "FAKTURA|Faktura|Kreditfaktura|Kvitto",
    "da": "FAKTURA|Faktura|Kreditnota|Kvittering",
    "sk": "FAKTÚRA|Faktúra|Dobropis|Zálohová faktúra",
    "ro": "FACTURĂ|Factură|FACTURA FISCALĂ|Chitanță",
}

# Wordings of the columns of an item table.
_COLUMNS: dict[str, dict[str, str]] = {
    "en": {
        "position": "#|No.|Pos.|Item|Line|Sl. No.",
        "article_number": "SKU|Item Code|Part No.|Article No.|Code|Product ID|HSN/SAC",
        "description": "Description|Item|Product|Service|Details|Item Description|Particulars|"
        "Description of goods|Name",
        "quantity": "Qty|Quantity|Units|Hours|QTY|Qty.|No.",
        "unit": "Unit|UOM|Per",
        "unit_price": "Unit Price|Price|Rate|Unit cost|Price each|Price/Unit|Cost",
        "discount": "Discount|Disc.|Disc %",
        "tax_rate": "VAT|Tax|VAT %|Tax %|GST|VAT [%]|Tax rate",
        "line_total": "Amount|Total|Line Total|Net Amount|Sub total|Net|Price total|Ext. Price",
    },
    "de": {
        "position": "Pos.|Pos|Nr.|#|Position",
        "article_number": "Art.-Nr.|Artikelnummer|Artikel-Nr.|ArtNr|Artikel Nr.|Code",
        "description": "Bezeichnung|Beschreibung|Artikel|Leistung|Artikelbezeichnung|Text|"
        "Positionsbeschreibung|Produkt",
        "quantity": "Menge|Anzahl|Mge.|Stunden|Anz.|Stück",
        "unit": "Einheit|ME|Einh.|VE",
        "unit_price": "Einzelpreis|E-Preis|Preis|EP|Nettopreis|Stückpreis|Preis/Einheit|Einzelpr.",
        "discount": "Rabatt|Rab.%|Abschlag",
        "tax_rate": "MwSt.|USt.|MwSt %|St.|USt. [%]|Steuersatz|MwSt. [%]",
        "line_total": "Gesamt|Betrag|Gesamtpreis|G-Preis|Summe|Nettobetrag|GP|Netto|Gesamt netto",
    },
    "fr": {
        "position": "N°|#|Ligne|Pos.",
        "article_number": "Réf.|Référence|Code article|Code|Réf. article",
        "description": "Désignation|Description|Libellé|Article|Produit|Prestation|Nature",
        "quantity": "Qté|Quantité|Qte|Nombre|Heures",
        "unit": "Unité|U.|Un.",
        "unit_price": "Prix unitaire|P.U. HT|PU HT|Prix unitaire HT|Prix|P.U.",
        "discount": "Remise|Rem. %|Rabais",
        "tax_rate": "TVA|Taux TVA|TVA %|% TVA",
        "line_total": "Montant HT|Total HT|Montant|Total|Prix total HT|Total ligne",
    },
    "pt": {
        "position": "#|Item|N.º|Linha",
        "article_number": "Código|Ref.|Cód.|Artigo|Referência",
        "description": "Descrição|Designação|Produto|Discriminação|Descrição do produto/serviço|"
        "Serviço",
        "quantity": "Qtd.|Quantidade|Qtd|Quant.|QTDE",
        "unit": "Un.|Unid.|UN|Unidade",
        "unit_price": "Preço unitário|Valor unitário|Preço|V. Unit.|Pr. Unitário|VALOR UNIT",
        "discount": "Desc.|Desconto",
        "tax_rate": "IVA|IVA %|Taxa|Alíq.",
        "line_total": "Total|Valor total|Valor|Total líquido|VALOR TOTAL|Montante",
    },
    "es": {
        "position": "#|N.º|Línea",
        "article_number": "Código|Ref.|Referencia|Artículo",
        "description": "Descripción|Concepto|Producto|Detalle|Denominación",
        "quantity": "Cantidad|Cant.|Uds.|Unidades|Horas",
        "unit": "Unidad|Ud.",
        "unit_price": "Precio unitario|Precio|P. unitario|Precio/ud.|P. Unit.",
        "discount": "Dto.|Descuento|% Dto.",
        "tax_rate": "IVA|% IVA|IVA %",
        "line_total": "Importe|Total|Subtotal|Importe neto",
    },
    "it": {
        "position": "N.|#|Riga",
        "article_number": "Codice|Cod. art.|Articolo|Cod.",
        "description": "Descrizione|Prodotto|Descrizione articolo|Prestazione",
        "quantity": "Q.tà|Quantità|Qta|Ore",
        "unit": "U.M.|UM",
        "unit_price": "Prezzo unitario|Prezzo|Prezzo unit.|P. unitario",
        "discount": "Sconto|Sc. %",
        "tax_rate": "IVA|IVA %|Aliq.",
        "line_total": "Importo|Totale|Prezzo totale|Tot. riga",
    },
    "nl": {
        "position": "#|Nr.|Regel",
        "article_number": "Artikelnr.|Art. nr.|Code|Artikel",
        "description": "Omschrijving|Beschrijving|Product|Dienst",
        "quantity": "Aantal|Hoeveelheid|Uren|Aant.",
        "unit": "Eenheid|Eenh.",
        "unit_price": "Prijs|Stukprijs|Prijs per stuk|Tarief|Eenheidsprijs",
        "discount": "Korting|Kort. %",
        "tax_rate": "BTW|Btw %|BTW-tarief",
        "line_total": "Bedrag|Totaal|Totaalprijs|Regelbedrag",
    },
    "cs": {
        "position": "#|Č.",
        "article_number": "Kód|Kat. číslo",
        "description": "Označení dodávky|Popis|Název|Položka|Text",
        "quantity": "Množství|Počet|Ks|Počet MJ",
        "unit": "MJ|Jedn.",
        "unit_price": "Cena za MJ|Jedn. cena|Cena/ks|Cena",
        "discount": "Sleva",
        "tax_rate": "DPH|Sazba|DPH %",
        "line_total": "Celkem|Cena celkem|Celkem bez DPH|Částka",
    },
    "pl": {
        "position": "Lp.|L.p.",
        "article_number": "Kod|Indeks|PKWiU",
        "description": "Nazwa towaru lub usługi|Nazwa|Opis|Towar / usługa",
        "quantity": "Ilość|Il.|Liczba",
        "unit": "J.m.|Jm.",
        "unit_price": "Cena netto|Cena jedn.|Cena jednostkowa netto|Cena",
        "discount": "Rabat",
        "tax_rate": "VAT|Stawka VAT|VAT %",
        "line_total": "Wartość netto|Wartość|Netto|Kwota netto",
    },
    "sv": {
        "position": "Rad",
        "article_number": "Artikelnr|Art.nr",
        "description": "Beskrivning|Benämning|Artikel",
        "quantity": "Antal|Ant.",
        "unit": "Enhet",
        "unit_price": "Á-pris|Pris|Styckpris",
        "discount": "Rabatt",
        "tax_rate": "Moms|Moms %",
        "line_total": "Belopp|Summa|Totalt",
    },
    "da": {
        "position": "Linje",
        "article_number": "Varenr.|Vare nr.",
        "description": "Beskrivelse|Tekst|Vare",
        "quantity": "Antal|Ant.",
        "unit": "Enhed",
        "unit_price": "Pris|Stk. pris|Enhedspris",
        "discount": "Rabat",
        "tax_rate": "Moms|Moms %",
        "line_total": "Beløb|I alt|Pris i alt",
    },
    "sk": {
        "position": "Č.",
        "article_number": "Kód",
        "description": "Popis|Názov položky|Označenie dodávky",
        "quantity": "Množstvo|Počet",
        "unit": "MJ",
        "unit_price": "Cena za MJ|Jedn. cena",
        "discount": "Zľava",
        "tax_rate": "DPH|DPH %",
        "line_total": "Spolu|Celkom|Cena spolu",
    },
    "ro": {
        "position": "Nr. crt.",
        "article_number": "Cod",
        "description": "Denumirea produselor sau a serviciilor|Denumire|Descriere",
        "quantity": "Cantitate|Cant.",
        "unit": "U.M.",
        "unit_price": "Preț unitar|Preț",
        "discount": "Reducere",
        "tax_rate": "Cota TVA|TVA",
        "line_total": "Valoare|Total",
    },
}

# Things sold. Enough words that no description is worth learning by heart.
_GOODS: dict[str, str] = {
    "en": "Office chair|Desk lamp, LED|USB-C cable 2 m|Printer paper A4|Hex bolt M10x100|"
    "Consulting services|Web development|"
    "Monthly maintenance|Software license|Cloud hosting|Logo design|Copywriting, 4 pages|"
    "Catering for 25 persons|Room rental|"
    "Airport transfer|Espresso beans 1kg|Garden hose|Steel pipe 3/4 inch|Labour|Travel expenses|"
    "Training session|Data migration|"
    'Photography|Wireless mouse|27" monitor|Wall paint white 10 L|'
    "Electric drill|Oak table|Window cleaning|Server rack|"
    "Extended warranty|Legal advice|Translation EN-DE|Support plan Gold|Domain registration|"
    "Blue widget|Brake pads (set)|"
    "Oil change|Security audit|Installation|Security deposit|Ceramic tiles|Roof repair|"
    "Single room, 2 nights|Breakfast|"
    "Annual subscription|Newspaper ad 1/4 page|Freight to site|Document fee|Rental of forklift|"
    "Bottled water 24 x 0.5 L|"
    "Milk|Wholegrain bread|Veterinary check|T-shirt, navy, L|Safety boots|Copper wire|"
    "Circuit board|Project management|"
    "UX research|SEO package|Piano tuning|Tree pruning|Medical gloves, box of 100|"
    "Solar panel 400 W|Inverter",
    "de": "Bürostuhl|Schreibtischlampe LED|Beratung|Wartung der Heizungsanlage|Softwarelizenz|"
    "Webdesign|Arbeitszeit Monteur|"
    "Anfahrtspauschale|Sechskantschraube M8 x 40|Druckerpapier A4 80 g|Kaffeebohnen 1 kg|"
    "Miete Lagerraum|Reinigung Treppenhaus|"
    "Kupferrohr 15 mm|Gipskartonplatte|Schulung|Übersetzung|Projektleitung|Hosting|Fotografie|"
    "Rasenmähen|Trennblätter A4|"
    "Joghurt Banane|Mineralwasser 12 x 1 l|Dübel 8 mm|Innenfarbe weiß 10 l|Taxifahrt|"
    "Übernachtung Einzelzimmer|Frühstück|"
    "Dachreparatur|Fenster 120 x 140|Abschlagszahlung Bauvorhaben|Strom Arbeitspreis|Grundpreis|"
    "Toner schwarz|Netzteil 12 V|"
    "Holzpellets lose|Kabelkanal|Versicherungsbeitrag|Grafikarbeiten|Datenpflege|Steuerberatung|"
    "Kunstrasen grün|Stahlträger|"
    "Bremsbeläge|Ölwechsel|Reifen 205/55 R16|Seminarpauschale|Druck Flyer 1.000 Stück|"
    "Heckenschnitt|Montage|Entsorgung",
    "fr": "Prestation de conseil|Chaise de bureau|Maintenance annuelle|Développement web|"
    "Licence logicielle|Main d'œuvre|Déplacement|"
    "Papier A4|Café en grains 1 kg|Nettoyage des locaux|Hébergement site|Formation|"
    "Peinture blanche 10 L|Câble réseau|Tuyau cuivre|"
    "Location de salle|Traduction|Création de logo|Photographie|Carrelage|Pose de parquet|"
    "Nuit d'hôtel|Petit déjeuner|Abonnement mensuel|"
    "Vin rouge 75 cl|Fromage affiné|Confiture de fraises|Pneu hiver|Vidange moteur|Expertise|"
    "Étude technique|Clavier sans fil|"
    "Écran 24 pouces|Reliure|Impression flyers|Taille de haies|Huile d'olive|Savon artisanal|"
    "Rideaux|Dépannage plomberie",
    "pt": "Consultoria|Manutenção mensal|Desenvolvimento de software|Licença anual|"
    "Cadeira de escritório|Papel A4|Café torrado 1 kg|"
    "Serviço de limpeza|Hospedagem de site|Treinamento|Parafuso M8|Tinta branca 18 L|"
    "Aluguer de equipamento|Transporte|Mão de obra|"
    "Garrafa de azeite|Vinho tinto|Cimento 50 kg|Projeto elétrico|Assessoria jurídica|"
    "Notebook 15|Mouse sem fio|Monitor 24|"
    "Cabo de rede|Camiseta azul M|Diária de hotel|Refeição|Fotografia|Tradução|Instalação|"
    "Software de gestão|Honorários|Arroz 5 kg",
    "es": "Consultoría|Mantenimiento mensual|Desarrollo web|Licencia de software|Silla de oficina|"
    "Papel A4|Café 1 kg|Limpieza de oficinas|"
    "Alojamiento web|Formación|Tornillo M8|Pintura blanca 15 L|Alquiler de maquinaria|Transporte|"
    "Mano de obra|Aceite de oliva|"
    "Vino tinto|Cemento 25 kg|Proyecto eléctrico|Asesoría fiscal|Portátil 15|Ratón|Monitor 24|"
    "Cable de red|Noche de hotel|Desayuno|"
    "Traducción|Instalación|Diseño gráfico|Honorarios",
    "it": "Consulenza|Manutenzione|Sviluppo software|Licenza annuale|Sedia da ufficio|Carta A4|"
    "Caffè 1 kg|Pulizia uffici|Hosting|"
    "Formazione|Vite M8|Vernice bianca 14 L|Noleggio attrezzature|Trasporto|Manodopera|"
    "Olio d'oliva|Vino rosso|Cemento 25 kg|"
    "Progetto impianto|Assistenza legale|Monitor 24|Cavo di rete|Pernottamento|Colazione|"
    "Traduzione|Installazione|Grafica|Piastrelle",
    "nl": "Advieswerk|Onderhoud|Webontwikkeling|Softwarelicentie|Bureaustoel|Papier A4|"
    "Koffiebonen 1 kg|Schoonmaak|Hosting|Training|"
    "Schroeven M8|Muurverf wit 10 L|Huur machine|Transport|Arbeidsuren|Fietsband|Bloembollen|"
    "Kaas|Vertaling|Installatie|Drukwerk|"
    "Voorrijkosten|Tegels|Hotelovernachting|Ontbijt|Fotografie",
    "cs": "Konzultace|Údržba|Vývoj webu|Licence|Kancelářská židle|Papír A4|Káva 1 kg|Úklid|Hosting|"
    "Školení|Šroub M8|Doprava materiálu|"
    "Práce|Tvorba www stránek|Překlad|Pneumatiky|Notebook|Ubytování|Grafické práce|Montáž",
    "pl": "Konsultacje|Serwis|Tworzenie strony www|Licencja|Krzesło biurowe|Papier A4|Kawa 1 kg|"
    "Sprzątanie|Hosting|Szkolenie|Śruba M8|"
    "Transport|Robocizna|Tłumaczenie|Opony|Laptop|Nocleg|Projekt graficzny|Montaż|Monitor 24",
    "sv": "Konsultation|Underhåll|Webbutveckling|Licens|Kontorsstol|Papper A4|Kaffe 1 kg|Städning|"
    "Utbildning|Skruv M8|Arbete|Resekostnad|Montering|Översättning",
    "da": "Rådgivning|Vedligehold|Webudvikling|Licens|Kontorstol|Papir A4|Kaffe 1 kg|Rengøring|"
    "Kursus|Skruer M8|Arbejdsløn|Kørsel|Montering|Oversættelse",
    "sk": "Konzultácie|Údržba|Vývoj webu|Licencia|Kancelárska stolička|Papier A4|Káva 1 kg|"
    "Upratovanie|Školenie|Skrutka M8|Práca|Preklad|Montáž|Notebook",
    "ro": "Consultanță|Mentenanță|Dezvoltare web|Licență|Scaun de birou|Hârtie A4|Cafea 1 kg|"
    "Curățenie|Instruire|Șurub M8|Manoperă|Traducere|Montaj|Laptop",
}

_DETAILS: dict[str, str] = {
    "en": "Colour: black|incl. delivery|Serial {n}|as per quotation {n}|period 01-31|Batch {n}|"
    "Made in EU|2 years warranty|hourly rate, remote|EAN {n}|"
    "see attached timesheet|Your part no. {n}|Size M|on site",
    "de": "Farbe: schwarz|inkl. Lieferung|Charge {n}|laut Angebot {n}|Zeitraum 01.-31.|EAN {n}|"
    "Serien-Nr. {n}|gemäß Absprache|2 Jahre Garantie|Ihre Art.-Nr. {n}|vor Ort",
    "fr": "Couleur : noir|livraison incluse|Lot {n}|selon devis {n}|Série {n}|garantie 2 ans|"
    "Code EAN {n}|sur site",
    "pt": "Cor: preto|entrega incluída|Lote {n}|conforme orçamento {n}|Série {n}|garantia 2 anos|"
    "NCM {n}",
}

_UNITS: dict[str, str] = {
    "en": "pcs|hrs|kg|ea|box|m|day|set|unit|EA",
    "de": "Stk|Std.|kg|m|m²|Pauschal|Stück|h|Tag|l",
    "fr": "u|h|kg|m|jour|pièce|forfait|m²",
    "pt": "UN|h|kg|m|cx|un|CX|PC",
    "es": "ud|h|kg|m|día|caja",
    "it": "pz|h|kg|m|nr|gg",
    "nl": "st|uur|kg|m|dag|doos",
    "cs": "ks|hod|kg|m",
    "pl": "szt.|godz.|kg|m|usł.",
    "sv": "st|tim|kg|m",
    "da": "stk|timer|kg|m",
    "sk": "ks|hod|kg|m",
    "ro": "buc|ore|kg|m",
}

# Payment sentences: {due} and {days} are filled in.
_TERMS_WITH_DATE: dict[str, str] = {
    "en": "Please pay by {due}.|Payment is due by {due} without deduction.|"
    "Kindly settle the total by {due}|The amount will be debited on {due}.|"
    "Please transfer the amount until {due}|Payable no later than {due}.|Please pay until: {due}",
    "de": "Zahlbar bis {due} ohne Abzug.|Bitte überweisen Sie den Betrag bis zum {due}.|"
    "Der Betrag ist fällig am {due}.|"
    "Bitte begleichen Sie den Rechnungsbetrag bis {due} auf unser Konto.|"
    "Zahlbar bis spätestens {due} rein netto|Wir buchen den Betrag am {due} von Ihrem Konto ab.",
    "fr": "À régler avant le {due}.|Merci de payer avant le {due}.|"
    "Paiement à effectuer au plus tard le {due}.|Le montant sera prélevé le {due}.|"
    "Règlement à réception, au plus tard le {due}",
    "pt": "Pagável até {due}.|Favor pagar até {due}.|Vencimento em {due}.|"
    "O pagamento deve ser efetuado até {due}.",
    "es": "Pagadero antes del {due}.|Rogamos efectúen el pago antes del {due}.|Vence el {due}.",
    "it": "Da saldare entro il {due}.|Pagamento entro il {due}.",
    "nl": "Gelieve te betalen vóór {due}.|Wij verzoeken u het bedrag uiterlijk {due} over te "
    "maken.",
    "cs": "Uhraďte prosím do {due}.",
    "pl": "Prosimy o zapłatę do dnia {due}.",
    "sv": "Betalas senast {due}.",
    "da": "Bedes betalt senest {due}.",
    "sk": "Uhraďte prosím do {due}.",
    "ro": "Vă rugăm să achitați până la {due}.",
}
_TERMS_WITHOUT_DATE: dict[str, str] = {
    "en": "Net {days}|Payment due within {days} days|Due on receipt|{days} days net|"
    "2% 10 days, net {days}|Payable within {days} days of invoice date|Cash on delivery|"
    "Payment within {days} days by bank transfer|Credit card|Direct debit|Net {days} days|Prepaid",
    "de": "{days} Tage netto|Zahlbar innerhalb von {days} Tagen ohne Abzug|sofort fällig|"
    "Zahlbar sofort nach Erhalt ohne Abzug|{days} Tage ohne Abzug, 8 Tage 2 % Skonto|"
    "Vorkasse|"
    "Zahlung innerhalb {days} Tagen ab Rechnungseingang|per Lastschrift|bar bezahlt|"
    "Überweisung, {days} Tage",
    "fr": "{days} jours fin de mois|Paiement à {days} jours|Paiement à réception|{days} jours net|"
    "Virement à {days} jours|Comptant|Prélèvement automatique|Chèque",
    "pt": "{days} dias|Pronto pagamento|{days} dias após emissão|Transferência bancária|À vista|"
    "Boleto bancário {days} dias|Numerário",
    "es": "{days} días|Transferencia a {days} días|Contado|Pago al recibo|{days} días fecha "
    "factura",
    "it": "Bonifico {days} giorni|{days} gg data fattura|Rimessa diretta|Contanti",
    "nl": "Betaling binnen {days} dagen|{days} dagen netto|Per incasso|Contant",
    "cs": "Převodem|Bankovním převodem|Hotově|Převodem do {days} dnů",
    "pl": "Przelew {days} dni|Gotówka|przelew|Przelew bankowy",
    "sv": "{days} dagar netto|{days} dagar|Kontant",
    "da": "Netto {days} dage|Løbende måned + {days} dage|Kontant",
    "sk": "Prevodom|Hotovosť|Prevodom do {days} dní",
    "ro": "Ordin de plată|{days} zile|Numerar",
}

# Sentences that hold no value of any concept.
_NOISE: dict[str, str] = {
    "en": "Thank you for your business!|Please quote the invoice number with your payment.|"
    "Goods remain our property until paid in full.|"
    "Late payments may be charged interest at the statutory rate.|"
    "Returns are accepted only with prior written approval and in the original packaging.|"
    "This is a computer generated document and needs no signature.|E. & O. E.|"
    "If you have any questions about this invoice, please contact us.|"
    "We appreciate your prompt payment.|Warranty is void if seals are broken.|"
    "Our general terms and conditions apply, see our website.|"
    "Received the above goods in good condition|Authorised signatory|"
    "Make all checks payable to the company named above.|Remittance advice|"
    "Claims must be reported in writing within eight days after receipt of the goods.|"
    "Registered in England and Wales|Scan to pay|Customer copy|Notes|"
    "Dear Sir or Madam,|we invoice you for our services as follows:|Yours sincerely|"
    "Terms and conditions|Signature|Internal use only",
    "de": "Vielen Dank für Ihren Auftrag!|Bitte geben Sie bei der Zahlung die Rechnungsnummer an.|"
    "Die Ware bleibt bis zur vollständigen Bezahlung unser Eigentum.|"
    "Es gelten unsere Allgemeinen Geschäftsbedingungen.|Sehr geehrte Damen und Herren,|"
    "wir erlauben uns, Ihnen folgende Leistungen in Rechnung zu stellen:|"
    "Mit freundlichen Grüßen|Reklamationen können nur innerhalb von acht Tagen anerkannt werden.|"
    "Gerichtsstand ist der Sitz des Verkäufers.|"
    "Diese Rechnung wurde maschinell erstellt und ist ohne Unterschrift gültig.|"
    "Wir danken für Ihr Vertrauen.|"
    "Sie sind verpflichtet, die Rechnung zwei Jahre lang aufzubewahren.|"
    "Bei Fragen stehen wir Ihnen gerne zur Verfügung.|Bemerkungen|Geschäftsführer|"
    "Es bestehen Rabatt- und Bonusvereinbarungen.|Übertrag|Leistung gemäß Werkvertrag",
    "fr": "Merci de votre confiance.|Pas d'escompte pour paiement anticipé.|"
    "En cas de retard de paiement, indemnité forfaitaire pour frais de recouvrement selon la loi.|"
    "Les marchandises restent notre propriété jusqu'au paiement intégral.|Madame, Monsieur,|"
    "Veuillez trouver ci-dessous le détail de nos prestations.|"
    "Cordialement|Bon pour accord|"
    "Membre d'une association agréée, le règlement par chèque est accepté.|"
    "Conditions générales de vente au verso|Observations|"
    "Nous restons à votre disposition pour tout renseignement.",
    "pt": "Obrigado pela preferência!|Documento processado por programa certificado.|"
    "Os bens foram colocados à disposição do adquirente.|Informações complementares|"
    "Documento emitido por ME ou EPP optante pelo Simples Nacional.|"
    "Não geral direito a crédito fiscal.|Observações|Obrigado pela sua visita|"
    "Reclamações só são aceites no prazo de oito dias.|Consulte a autenticidade no portal.|"
    "Assinatura do recebedor",
    "es": "Gracias por su confianza.|No se admiten devoluciones pasados quince días.|"
    "Inscrita en el Registro Mercantil.|Observaciones|Conforme cliente|"
    "Los productos siguen siendo de nuestra propiedad hasta su pago.",
    "it": "Grazie per la fiducia.|Contributo ambientale assolto.|"
    "Merce viaggia a rischio del destinatario.|Note|Firma",
    "nl": "Bedankt voor uw opdracht.|Gelieve het factuurnummer te vermelden bij betaling.|"
    "Op al onze leveringen zijn onze voorwaarden van toepassing.|Opmerkingen",
    "cs": "Děkujeme za Vaši objednávku.|Firma je zapsána v obchodním rejstříku.|Razítko a podpis|"
    "Fakturujeme Vám za dodané zboží či služby:|Převzal",
    "pl": "Dziękujemy za współpracę.|Osoba upoważniona do odbioru|Uwagi|Podpis|"
    "Faktura bez podpisu odbiorcy",
    "sv": "Tack för er beställning!|Dröjsmålsränta enligt räntelagen.|Godkänd för F-skatt",
    "da": "Tak for ordren.|Ved forsinket betaling tilskrives renter.",
    "sk": "Ďakujeme za Vašu objednávku.|Pečiatka a podpis|Prevzal",
    "ro": "Vă mulțumim!|Semnătura și ștampila furnizorului",
}

_MONTHS: dict[str, str] = {
    "en": "January|February|March|April|May|June|July|August|September|October|November|December",
    "de": "Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember",
    "fr": "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre",
    "pt": "janeiro|fevereiro|março|abril|maio|junho|julho|agosto|setembro|outubro|novembro|"
    "dezembro",
    "es": "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|"
    "diciembre",
    "it": "gennaio|febbraio|marzo|aprile|maggio|giugno|luglio|agosto|settembre|ottobre|novembre|"
    "dicembre",
    "nl": "januari|februari|maart|april|mei|juni|juli|augustus|september|oktober|november|december",
    "cs": "ledna|února|března|dubna|května|června|července|srpna|září|října|listopadu|prosince",
    "pl": "stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września|października|"
    "listopada|grudnia",
    "sv": "januari|februari|mars|april|maj|juni|juli|augusti|september|oktober|november|december",
    "da": "januar|februar|marts|april|maj|juni|juli|august|september|oktober|november|december",
    "sk": "januára|februára|marca|apríla|mája|júna|júla|augusta|septembra|októbra|novembra|"
    "decembra",
    "ro": "ianuarie|februarie|martie|aprilie|mai|iunie|iulie|august|septembrie|octombrie|noiembrie|"
    "decembrie",
}

_PAGE: dict[str, str] = {
    "en": "Page {a} of {b}|Page {a} / {b}|{a}/{b}|- {a} -",
    "de": "Seite {a} von {b}|Seite {a}/{b}|Seite {a}|{a} / {b}",
    "fr": "Page {a} sur {b}|Page {a}/{b}|{a}/{b}",
    "pt": "Página {a} de {b}|Pág. {a}/{b}|FOLHA {a}/{b}",
    "es": "Página {a} de {b}|Pág. {a}/{b}",
    "it": "Pagina {a} di {b}|Pag. {a}/{b}",
    "nl": "Pagina {a} van {b}|{a}/{b}",
    "cs": "Strana {a} z {b}|Strana {a}/{b}",
    "pl": "Strona {a} z {b}|{a}/{b}",
    "sv": "Sida {a} av {b}|{a} ({b})",
    "da": "Side {a} af {b}",
    "sk": "Strana {a} z {b}",
    "ro": "Pagina {a} din {b}",
}


def _cut(table: dict[str, str]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(words.split("|")) for key, words in table.items()}


# What the boxes of a form say of a party; other languages take the English words.
_PARTY: dict[str, dict[str, str]] = {
    "en": {
        "name": "Name|Company name|Legal name|Registered name|Name / Company|Business name",
        "address": "Address|Street|Registered address|Street and number|Full address",
        "city": "City|Town|City / State|Place|Municipality",
    },
    "de": {
        "name": "Name|Firma|Name / Firma|Firmenname|Bezeichnung",
        "address": "Anschrift|Adresse|Straße|Straße und Hausnummer",
        "city": "Ort|PLZ / Ort|Stadt|Gemeinde",
    },
    "fr": {
        "name": "Nom|Raison sociale|Nom ou raison sociale|Dénomination",
        "address": "Adresse|Rue|Siège social|Adresse complète",
        "city": "Ville|Commune|Localité",
    },
    "pt": {
        "name": "Nome|Razão social|Nome / Razão social|Nome/Razão Social|Denominação",
        "address": "Endereço|Morada|Logradouro|Sede",
        "city": "Município|Cidade|Localidade|Município / UF",
    },
    "es": {
        "name": "Nombre|Razón social|Nombre o razón social|Denominación",
        "address": "Dirección|Domicilio|Domicilio fiscal|Calle",
        "city": "Ciudad|Localidad|Municipio|Población",
    },
    "it": {
        "name": "Denominazione|Ragione sociale|Nome|Nome o ragione sociale",
        "address": "Indirizzo|Via|Sede legale|Domicilio",
        "city": "Comune|Città|Località",
    },
}
_OTHER_AMOUNTS: dict[str, str] = {
    "en": "Deductions|Withheld tax|Other charges|Insurance|Surcharge|Withholdings",
    "de": "Abzüge|Einbehalt|Sonstige Kosten|Zuschläge|Sicherheitseinbehalt",
    "fr": "Retenues|Retenue à la source|Autres frais|Assurance",
    "pt": "Deduções|ISS retido|Retenções federais|Outras despesas|Seguro|PIS|COFINS",
    "es": "Deducciones|Retención IRPF|Otros gastos|Seguro|Recargo",
    "it": "Ritenuta d'acconto|Altre spese|Bollo|Cassa previdenziale|Trattenute",
}

# Dates and boxes that are none of the concepts; other languages take the English words.
_OTHER_DATES: dict[str, str] = {
    "en": "Printed on|Order date|Date of birth|Received|Period from|Period to|Statement date|"
    "Valid until|Created|Registration date|Last updated",
    "de": "Druckdatum|Bestelldatum|Auftragsdatum|Zeitraum von|Zeitraum bis|Eingangsdatum|"
    "Gültig bis|Erstellt am|Buchungsdatum|Angebotsdatum",
    "fr": "Imprimé le|Date de commande|Période du|Période au|Reçu le|Valable jusqu'au|Créé le",
    "pt": "Impresso em|Data do pedido|Data de entrada|Competência|Data de autorização|"
    "Período de|Válido até",
    "es": "Impreso el|Fecha de pedido|Periodo desde|Periodo hasta|Válido hasta|Recibido el",
    "it": "Stampato il|Data ordine|Periodo dal|Periodo al|Valido fino al|Ricevuto il",
    "nl": "Afgedrukt op|Besteldatum|Periode van|Periode tot|Geldig tot",
    "cs": "Vytištěno|Datum objednávky|Období od|Platnost do",
    "pl": "Wydrukowano|Data zamówienia|Okres od|Ważne do",
}
_OTHER_BOXES: dict[str, str] = {
    "en": "Series|Verification code|Page|Operation|Region|Postcode|Country|Branch|Department|"
    "Document type|Access key|Registry no.|Weight|Packages|Terms code|Mode of transport|Class",
    "de": "Serie|Prüfziffer|Vorgang|Bundesland|PLZ|Land|Filiale|Abteilung|Belegart|Kostenstelle|"
    "Gewicht|Kolli|Versandart|Sachbearbeiter|Register-Nr.",
    "fr": "Série|Code de vérification|Opération|Région|Code postal|Pays|Agence|Service|"
    "Type de document|Poids|Colis|Transport|Registre",
    "pt": "Série|Código de verificação|Natureza da operação|Inscrição estadual|"
    "Inscrição municipal|UF|CEP|Protocolo de autorização|Chave de acesso|Regime|Situação|"
    "Quantidade|Peso bruto|Peso líquido|Frete por conta|Código|Tomador|Intermediário",
    "es": "Serie|Código de verificación|Operación|Provincia|Código postal|País|Sucursal|Régimen|"
    "Tipo de documento|Peso|Bultos",
    "it": "Serie|Codice di verifica|Causale|Provincia|CAP|Paese|Filiale|Reparto|Peso|Colli|"
    "Regime fiscale|Codice destinatario",
}

LABELS = {language: _cut(labels) for language, labels in _CONCEPT_LABELS.items()}
COLUMNS = {language: _cut(columns) for language, columns in _COLUMNS.items()}
TITLES = _cut(_TITLES)
GOODS = _cut(_GOODS)
DETAILS = _cut(_DETAILS)
UNITS = _cut(_UNITS)
TERMS_WITH_DATE = _cut(_TERMS_WITH_DATE)
TERMS_WITHOUT_DATE = _cut(_TERMS_WITHOUT_DATE)
NOISE = _cut(_NOISE)
MONTHS = _cut(_MONTHS)
PAGE = _cut(_PAGE)
PARTY = {language: _cut(_PARTY.get(language, _PARTY["en"])) for language in _CONCEPT_LABELS}
OTHER_AMOUNTS = _cut({lang: _OTHER_AMOUNTS.get(lang, _OTHER_AMOUNTS["en"]) for lang in LABELS})
OTHER_DATES = _cut({lang: _OTHER_DATES.get(lang, _OTHER_DATES["en"]) for lang in LABELS})
OTHER_BOXES = _cut({lang: _OTHER_BOXES.get(lang, _OTHER_BOXES["en"]) for lang in LABELS})
